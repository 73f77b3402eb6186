import {defineConfig} from 'oxlint'

// Which room may import which is checked by scripts/imports.ts: it sees lazy `import()` too.
export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise'],
  categories: {correctness: 'error', suspicious: 'error'},
  options: {typeAware: true},
  ignorePatterns: ['**/lib/**', '!src/lib/**', 'node_modules', '.peers', 'tmp'],
  rules: {
    'eslint/eqeqeq': ['error', 'always', {null: 'ignore'}],
    'eslint/max-lines': ['warn', {max: 300, skipBlankLines: true, skipComments: true}],
    'eslint/max-lines-per-function': ['warn', {max: 40, skipBlankLines: true, skipComments: true}],
    'eslint/no-console': 'error',
    'eslint/no-unused-vars': ['error', {argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true}],
    'eslint/no-throw-literal': 'error',
    'eslint/no-var': 'error',
    'eslint/prefer-const': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'node/no-process-env': 'error',
    'typescript/consistent-type-imports': ['error', {disallowTypeAnnotations: false}],
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', {checksVoidReturn: {properties: false, arguments: false}}],
    'typescript/only-throw-error': 'off', // a cause is thrown on as it came; no-throw-literal finds the rest
    'typescript/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
    'unicorn/prefer-node-protocol': 'error',

    // Off, because here they find nothing that is wrong.
    'eslint/no-new': 'off', // prom-client registers metrics so
    'eslint/no-shadow': 'off',
    'eslint/no-underscore-dangle': 'off',
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'typescript/consistent-return': 'off', // noImplicitReturns
    'oxc/no-async-endpoint-handlers': 'off', // Fastify awaits its handlers
    'typescript/no-base-to-string': 'off', // JSON values, of a type that was checked before
    'typescript/no-unnecessary-type-conversion': 'off', // Node gives undefined where its types say boolean (isTTY)
    'typescript/no-unsafe-type-assertion': 'off', // a value is checked at the edge, then asserted
    'typescript/unbound-method': 'off', // interfaces of plain functions are written as methods
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-array-sort': 'off',
  },
  overrides: [
    {
      // The only readers of the environment: the configuration, and each process's own first lines.
      files: ['packages/sdk/src/config/environment.ts', 'src/start.ts', 'src/main.ts'],
      rules: {'node/no-process-env': 'off'},
    },
    {
      // oclif loads commands and hooks by their default export.
      files: ['**/commands/**', '**/hooks/**', 'oxlint.config.ts', 'scripts/reporter.mjs'],
      rules: {'import/no-default-export': 'off'},
    },
    {
      files: ['**/test/**', 'scripts/**', 'benchmarks/**'],
      rules: {
        'eslint/max-lines': 'off',
        'eslint/max-lines-per-function': 'off',
        'eslint/no-console': 'off',
        'node/no-process-env': 'off',
        'promise/always-return': 'off',
        'typescript/no-unnecessary-type-assertion': 'off',
        'typescript/no-unnecessary-type-parameters': 'off',
      },
    },
    {
      // Runs far enough on any Node, however old, to say which one is needed.
      files: ['bin/run.js'],
      rules: {'eslint/no-var': 'off', 'unicorn/prefer-node-protocol': 'off'},
    },
  ],
})
