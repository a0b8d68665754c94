// Writes .oxlintrc.json: the import order of docs/design.md as lint rules. Run after changing the order.
import { writeFileSync } from 'node:fs'

const ranks = [
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

const overrides = []
for (const [rank, folders] of ranks.entries()) {
  for (const folder of folders) {
    const refused = ranks.flatMap((group, at) =>
      at > rank ? group : at === rank ? group.filter((f) => f !== folder) : [],
    )
    const inner = ranks.flatMap((group, at) => (at < rank ? group : []))
    const patterns = []
    if (refused.length > 0) {
      patterns.push({
        group: refused.flatMap((f) => [`../${f}/*`, `../${f}/**`, `../../${f}/*`, `../../${f}/**`]),
        message: `${folder} may import only itself and what stands to its left in docs/design.md.`,
      })
    }
    for (const f of inner) {
      patterns.push({
        group: [`../${f}/**`, `!../${f}/index.ts`, `../../${f}/**`, `!../../${f}/index.ts`],
        message: `Import the public face, ${f}/index.ts, not its inside.`,
      })
    }
    const pure = folder === 'core' || folder === 'config'
    if (folder === 'core') patterns.push({ group: ['node:*'], message: 'core is pure: no Node modules.' })
    if (patterns.length === 0) continue
    overrides.push({
      files: [`src/${folder}/**/*.ts`],
      rules: { 'no-restricted-imports': ['error', { patterns }], ...(pure ? { 'no-console': 'error' } : {}) },
    })
  }
}
overrides.push({ files: ['src/**/*.ts'], rules: { 'no-console': 'error' } })
overrides.push({
  files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**', 'examples/**'],
  rules: { 'max-lines': ['error', { max: 800 }], 'max-lines-per-function': 'off' },
})

writeFileSync(
  new URL('../.oxlintrc.json', import.meta.url),
  JSON.stringify(
    {
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
      },
      overrides: [
        ...overrides,
        {
          files: ['*.config.ts', 'scripts/**', 'src/**/*.d.ts'],
          rules: { 'import/no-default-export': 'off' },
        },
      ],
      ignorePatterns: ['dist', 'node_modules', 'web/dist', 'coverage'],
    },
    null,
    2,
  ) + '\n',
)
