import { defineConfig, type UserConfig } from 'tsdown'

const common: UserConfig = {
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  fixedExtension: false,
  checks: { pluginTimings: false },
}

const bundled = ['zod', 'commander', 'hyparquet', 'hyparquet-writer', '@duckdb/node-api']

const program: UserConfig = {
  ...common,
  entry: {
    index: 'src/index.ts',
    cli: 'src/cli/main.ts',
    testing: 'src/testing/index.ts',
    // What workers run: found by its name, beside the code that starts it.
    'transfer-worker': 'src/engine/remote/transfer-worker.ts',
    'sync-worker': 'src/session/sync-worker.ts',
  },
  dts: false,
  sourcemap: true,
  // Bundled, these two start in a third of the time; everything else stays a dependency.
  deps: { alwaysBundle: bundled, onlyBundle: bundled, neverBundle: ['@duckdb/node-bindings'] },
}

const declarations: UserConfig = {
  ...common,
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  // They refer to zod: its types do not stand being bundled.
  dts: { emitDtsOnly: true },
  clean: false,
}

export default defineConfig(({ dts }) => (dts === false ? [program] : [program, declarations]))
