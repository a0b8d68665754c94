// Writes .oxlintrc.json: the import order of docs/design.md as lint rules. Run `npm run lint:config` after changing it.
import { writeFileSync } from 'node:fs'

/** The folders of src/ in the order of docs/design.md. Folders of one group do not import each other. */
export const importOrder: readonly (readonly string[])[] = [
  ['core'],
  ['config'],
  ['http', 'storage', 'workers'],
  ['engine'],
  ['sources', 'images'],
  ['pack'],
  ['files', 'books', 'datasets'],
  ['jobs'],
  ['session'],
  ['server'],
  ['cli'],
]

/** A path that goes deeper or does not begin with `index`; the linter's expressions have no look-ahead. */
const notIndex = '([^/]+/|[^i]|i[^n]|in[^d]|ind[^e]|inde[^x])'

/** What a folder may not import, at any depth of its own folders. */
function importRules(folder: string, rank: number): object {
  const before = importOrder.slice(0, rank).flat()
  const refused = importOrder
    .slice(rank)
    .flat()
    .filter((other) => other !== folder)
  const patterns: { readonly regex: string; readonly message: string }[] = []
  if (refused.length > 0) {
    patterns.push({
      regex: `^(\\.\\./)+(${refused.join('|')})/`,
      message: `${folder} may import only itself and what stands to its left in docs/design.md.`,
    })
  }
  if (before.length > 0) {
    patterns.push({
      regex: `^(\\.\\./)+(${before.join('|')})/${notIndex}`,
      message: 'Import the public face of a folder, its index.ts, not its inside.',
    })
  }
  if (folder === 'core') patterns.push({ regex: '^node:', message: 'core is pure: no Node modules.' })
  return { files: [`src/${folder}/**`], rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

/** The whole configuration of the linter. */
export function oxlintConfig(): object {
  return {
    $schema: './node_modules/oxlint/configuration_schema.json',
    plugins: ['typescript', 'import', 'unicorn', 'promise', 'node'],
    categories: { correctness: 'error', suspicious: 'error' },
    rules: {
      'import/no-cycle': 'error',
      'import/no-default-export': 'error',
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 60, skipComments: true, skipBlankLines: true }],
      'typescript/no-explicit-any': 'error',
      'typescript/no-floating-promises': 'error',
      'typescript/no-misused-promises': 'error',
      'typescript/consistent-type-imports': 'error',
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-var': 'error',
      'no-await-in-loop': 'off',
      'import/no-unassigned-import': 'off',
      'unicorn/no-array-sort': 'off',
      'unicorn/no-array-reverse': 'off',
      'no-underscore-dangle': 'off',
      'no-shadow': 'off',
      // Casts of JSON that is our own and checksummed, or checked right after.
      'typescript/no-unsafe-type-assertion': 'off',
      'unicorn/consistent-function-scoping': 'off',
      'promise/always-return': 'off',
    },
    overrides: [
      ...importOrder.flatMap((folders, rank) => folders.map((folder) => importRules(folder, rank))),
      { files: ['src/**'], rules: { 'no-console': 'error' } },
      {
        files: ['test/**', 'bench/**', 'scripts/**', 'examples/**', 'demo/**'],
        rules: { 'max-lines': ['error', { max: 800 }], 'max-lines-per-function': 'off' },
      },
      { files: ['*.config.ts', 'scripts/**', 'src/**/*.d.ts'], rules: { 'import/no-default-export': 'off' } },
    ],
    ignorePatterns: ['dist', 'node_modules', 'web/dist', 'coverage'],
  }
}

if (import.meta.main) {
  writeFileSync(new URL('../.oxlintrc.json', import.meta.url), `${JSON.stringify(oxlintConfig(), null, 2)}\n`)
}
