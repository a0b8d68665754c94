#!/usr/bin/env node
// Nothing but this check may run before it: older versions cannot even parse what follows.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`trawl needs Node 22.19 or newer; this is ${process.version}. See https://nodejs.org`)
  process.exitCode = 2
} else {
  // Images are worked on by these threads, one each, and files and names wait for them too. Read when first used.
  const { availableParallelism } = await import('node:os')
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2))
  const { keepCompiledCode } = await import('./compiled-code.mjs')
  keepCompiledCode()
  const { main } = await import('../dist/cli.js')
  // The young generation stays small and is collected by one thread (measured; docs/adr/0001-young-generation.md). Not
  // before the code is loaded, of which more survives than of what comes after.
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-parallel-scavenge')
  await main(process.argv.slice(2))
}
