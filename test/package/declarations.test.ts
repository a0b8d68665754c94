import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { projectRoot, runNode } from './run-program.ts'

it('the built declarations hold without skipLibCheck, and examples keep to them', async () => {
  const examples = readdirSync(`${projectRoot}examples`).filter((name) => name.endsWith('.ts'))
  const target = ['--module', 'nodenext', '--target', 'es2023', '--lib', 'es2024,esnext.disposable']
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noEmit']
  const files = examples.map((name) => `examples/${name}`)
  const args = ['--ignoreConfig', '--types', 'node', ...target, ...strict, ...files]
  expect(await runNode('node_modules/typescript/bin/tsc', ...args)).toEqual({
    status: 0,
    stdout: '',
    stderr: '',
  })
})
