import { readFileSync, writeFileSync } from 'node:fs'
import { defineConfig, type UserConfig } from 'tsdown'

const common: UserConfig = {
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  fixedExtension: false,
  checks: { pluginTimings: false },
}

/** Part of the program, since many small modules of a package take long to load; all else stays a dependency. */
const bundled = ['zod', 'commander', 'hyparquet', 'hyparquet-writer', '@duckdb/node-api']

const program: UserConfig = {
  ...common,
  entry: {
    index: 'src/index.ts',
    cli: 'src/cli/main.ts',
    testing: 'src/testing/index.ts',
    // What workers run: found by its name, beside the code that starts it.
    'transfer-worker': 'src/engine/remote/transfer-worker.ts',
    'resize-worker': 'src/images/apart/resize-worker.ts',
    'sync-worker': 'src/session/sync-worker.ts',
  },
  dts: false,
  sourcemap: true,
  // The native part of DuckDB is a package of its own for each system.
  deps: { alwaysBundle: bundled, onlyBundle: bundled, neverBundle: ['@duckdb/node-bindings'] },
  hooks: { 'build:done': writeNotice },
}

const declarations: UserConfig = {
  ...common,
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  // They refer to zod: its types do not stand being bundled.
  dts: { emitDtsOnly: true },
  clean: false,
}

/** Their licences ask to go with them. */
function writeNotice(): void {
  const texts = bundled.map(
    (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8').trim()}\n`,
  )
  writeFileSync('dist/NOTICE', `The program holds these packages.\n\n${texts.join('\n\n')}`)
}

export default defineConfig(({ dts }) => (dts === false ? [program] : [program, declarations]))
