// Tests a client against servers that misbehave, with the server that trawl itself is tested with:
// node examples/fault-origin.ts
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchDownload } from 'trawl'
import { body, createFaultOrigin, faults, respond, withFaults } from 'trawl/testing'

const dir = await mkdtemp(join(tmpdir(), 'trawl-example-'))
await using origin = await createFaultOrigin()
const file = body('any seed', 3_000_000)
// The first two answers break off after a megabyte.
origin.route(
  '/file.bin',
  withFaults(respond.withRange(file), faults.firstTimes(2, faults.cutAfter(1_000_000, 'fin'))),
)

const [outcome] = await batchDownload([`${origin.url}/file.bin`], { dir, retryDelayMs: 10 })
const isSame = file.bytes().equals(await readFile(join(dir, outcome?.path ?? '')))
console.log(
  `${outcome?.status}, ${origin.requests.length} requests, ${isSame ? 'every byte is right' : 'WRONG BYTES'}`,
)
await rm(dir, { recursive: true })
