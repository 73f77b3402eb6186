const GAP = 2
/** A column is not cut below this while another one is wider. */
const NARROW = 8

/**
 * Left-aligned columns, two spaces apart, no trailing blanks: greppable and cut-able. On a terminal no line is longer
 * than it is wide: the widest columns are cut, marked by `…`, the first one last. What goes into a file or a pipe is
 * never cut.
 */
export function renderTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined = terminalWidth(),
): string {
  const lines = [header, ...rows]
  const natural = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const widths = width === undefined ? natural : fitted(natural, width)
  return lines
    .map((line) =>
      line
        .map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0))
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
    .join('\n')
}

/** Columns of the terminal that standard output is; undefined when it is none. */
function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || undefined : undefined
}

function cut(cell: string, width: number): string {
  return cell.length <= width ? cell : `${cell.slice(0, Math.max(0, width - 1))}…`
}

/** Takes from the widest column until all fit: from the first, which tells the rows apart, only when the others are narrow. */
function fitted(natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  let excess = widths.reduce((sum, one) => sum + one + GAP, -GAP) - width
  while (excess-- > 0) {
    const others = Math.max(0, ...widths.slice(1))
    const widest = others > NARROW ? widths.indexOf(others, 1) : widths.indexOf(Math.max(...widths))
    if ((widths[widest] ?? 0) <= 1) break
    widths[widest]! -= 1
  }
  return widths
}
