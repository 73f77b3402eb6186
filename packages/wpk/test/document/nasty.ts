import fc from 'fast-check'

/** Scalars that YAML 1.1, YAML 1.2 and JSON readers like to disagree on. */
export const NASTY_SCALARS = [
  'a', 'yes', 'no', 'NO', 'on', '1', '-1', '01', '0', '-0', '-0.0', '1.5', '1.50', '1.', '.5', '1e3', '1.0e3', '1.0e+3',
  '0x1f', '0o7', '0b1', '1_0', '1:2', '12:30:45', '~', 'null', 'Null', 'true', 'True', '=', '<<', '2026-01-01',
  '2026-01-01 10:00:00', '9007199254740991', '9007199254740992', '123456789012345678', '0.30000000000000004',
  '100000000000000000000.0', '"yes"', "'no'", "'it''s'", '"\\u00e9"', '"a\\tb"', '"a\tb"', 'é', 'e\u0301', 'a b', 'a#b',
  'a #b', 'a: b', 'a:b', '- x', '[1,2]', '[a, ]', '{a: 1}', '{a: yes}', '{a}', '{"a":1}', '{a:1}', '[on]', '"\\x41"', '!t x', '&a x',
  '*a', '|\n    x', '|\n    x\n', '|-\n    x\n', '|+\n    x\n\n', '|2\n     x\n', '>\n    x\n    y', '>\n    x\n\n    y\n     z\n', '|\n    x\n    \ty\n', '|\n    \tx\n',
  '|\n\n    x\n', '|\n      \n    x\n', '? x', '? x\n      : y', '"\\ud83d\\ude00"', '"\\\\ud83d"', '?x', '@x', '`x', '%x', ',x', 'a\tb', 'a\n    b', 'a\n    # c\n    b', '"a\n    b"', '"a\n\n    b"', '"a \\\n    b"', "'a\n    b'", '"a\n\tb"', 'x\u0085y', 'x\u2028y',
  '+1', '+.5', '-.inf', '0.1', '0.10000000000000001', '1.7976931348623157e+308', '1e400', '"\\ud800"', '"\\ud83d\\ude00"', '😀', 'y',
  'n', 'Y', 'N', '.', '..', '-', '--', '---', '...', '1.2.3', '1.10.0', '0.0.1', '1.2.3-rc.1', '1.2.3-1', '1.2.3+5',
  '1.2.3-0.3.7', '10.20.30', 'v1.2.3', 'v1', '1.10', '1,000', '0.', '00', '1-2', '1a', 'e1', 'e123456', '1e', '0x', '0xg', 'inf', 'nan',
  'NaN', '.NaN', '_1', '__', '1__0', '0_1', '-_1', '1_000.5', '190:20:30.15', '1:60', '-1:30', '12e03', '0.e1', '.e1', '12345678901234567890.5',
  '"a" # c', "''", '""', '', '# c', '"\\/"', '"\\e"', '"\\_"', '"\\N"', '"\\0"', 'a, b', '[a b, c]', '[[]]', '{}', '[]', '[{}]', '[a: b]', '[? a]', '{? a : b}', "{'a': b}", '{a: b, }', '{a: b,, }', '[,]', ':a', ':', '::', 'a:', '"a": b', '!', '!!str', '|', '>', '|x', '| x', '|-', '\\', '"\\', "'", '#a', '[', ']', '{', '}',
] // oxfmt-ignore

const scalar = fc.constantFrom(...NASTY_SCALARS)
const key = fc.oneof({weight: 5, arbitrary: fc.constantFrom('k', 'name', 'a-b', 'x y')}, {weight: 1, arbitrary: scalar})

const line = fc.oneof(
  fc.tuple(key, scalar).map(([k, v]) => `${k}: ${v}\n`),
  fc.tuple(key, scalar, scalar).map(([k, v, w]) => `${k}:\n  - ${v}\n  - ${w}\n`),
  fc.tuple(key, scalar, scalar).map(([k, v, w]) => `${k}:\n- ${v}\n- ${w}\n`),
  fc.tuple(key, key, scalar).map(([k, l, v]) => `${k}:\n  ${l}: ${v}\n`),
  fc.tuple(key, scalar, scalar).map(([k, v, w]) => `${k}: [${v}, ${w}]\n`),
  fc.tuple(key, key, scalar).map(([k, l, v]) => `${k}: {${l}: ${v}}\n`),
  fc.tuple(key, key, scalar, key, scalar).map(([k, l, v, m, w]) => `${k}:\n  - ${l}: ${v}\n    ${m}: ${w}\n`),
  fc.tuple(key, scalar).map(([k, v]) => `? ${k}\n: ${v}\n`),
  fc.tuple(key, scalar).map(([k, v]) => `${k} : ${v}\n`),
  fc.constantFrom('# comment\n', '\n', '---\n', '...\n', '%YAML 1.1\n', '  \n', '\t\n', ' # c\n'),
)

/** Small documents put together from nasty parts, numbered keys first so that many of them are accepted. */
export const nastyDocument = fc
  .array(line, {minLength: 1, maxLength: 4})
  .map((lines) => lines.map((text, index) => text.replace(/^k\b/, `k${index}`)).join(''))
  .chain((text) => fc.constantFrom(text, text.trimEnd(), text.replaceAll('\n', '\r\n')))
