import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  finalizeDataset,
  localFolder,
  readDatasetStatus,
  readShardState,
  selectRetryRows,
} from '../../../src/datasets/shards/index.ts'
import { calm, makeShards, planCase, storm } from './dataset-case.ts'

describe('the state of a dataset', () => {
  it('is read from the stats files alone', async () => {
    const given = await planCase()
    await makeShards(given, storm, [0, 2])
    for (const name of ['7_stats.json', '00001_stats.json.bak', 'x_stats.json', '00099_stats.json']) {
      writeFileSync(join(given.out, name), '{}')
    }
    const state = await readShardState(localFolder(given.out), given.manifest)
    expect([...state.missing()]).toEqual([1])
    expect([...state.committed()]).toEqual([0, 2])
    expect(state).toMatchObject({ plannedCount: 3, committedCount: 2 })
    expect([state.isCommitted(0), state.isCommitted(1)]).toEqual([true, false])
  })

  it('adds up the stats, and every planned row is accounted for', async () => {
    const given = await planCase()
    await makeShards(given, storm)
    const status = await readDatasetStatus(localFolder(given.out), given.manifest)
    expect(status.codes).toEqual({ success: 30, http_404: 7, http_5xx: 7, input_row: 1 })
    expect(status.rows).toEqual({
      planned: 45,
      done: 45,
      success: 30,
      failed_to_download: 15,
      failed_to_resize: 0,
    })
    expect(status).toMatchObject({
      shards: { planned: 3, committed: 3 },
      attempts: 45,
      fetchedBytes: 22_500,
      faults: [],
    })
  })

  it('names stats that cannot be used', async () => {
    const given = await planCase()
    await makeShards(given, calm)
    writeFileSync(join(given.out, '00001_stats.json'), '{"count": 1')
    const text = readFileSync(join(given.out, '00000_stats.json'), 'utf8')
    writeFileSync(join(given.out, '00000_stats.json'), text.replace(/"plan": "\w+"/, '"plan": "other"'))
    const status = await readDatasetStatus(localFolder(given.out), given.manifest)
    expect(status.faults).toEqual([
      '00001_stats.json: not the stats of a shard',
      'shard 0 belongs to another plan',
    ])
    await expect(finalizeDataset(given.out, given.manifest)).rejects.toMatchObject({
      code: 'ERR_SHARD_INCOMPLETE',
    })
  })

  it('is final when all shards are there', async () => {
    const given = await planCase()
    await makeShards(given, calm, [0, 1])
    await expect(finalizeDataset(given.out, given.manifest)).rejects.toMatchObject({
      code: 'ERR_SHARD_INCOMPLETE',
      message: '2 of 3 shards are done; missing: 2',
    })
    expect(existsSync(join(given.out, 'stats.json'))).toBe(false)
    await finalizeDataset(given.out, given.manifest, { allowMissing: true })
    await makeShards(given, calm, [2])
    await finalizeDataset(given.out, given.manifest)
    expect(JSON.parse(readFileSync(join(given.out, 'stats.json'), 'utf8'))).toMatchObject({
      format: 'trawl-dataset-stats',
      plan: given.manifest.configHash,
      shards: { planned: 3, committed: 3 },
      rows: { done: 45 },
    })
    rmSync(join(given.out, '00001_stats.json'))
    await expect(finalizeDataset(given.out, given.manifest)).rejects.toMatchObject({
      code: 'ERR_SHARD_INCOMPLETE',
    })
  })
})

describe('selectRetryRows', () => {
  it('finds failed rows by status', async () => {
    const given = await planCase()
    await makeShards(given, storm, [0, 2])
    const found = async (...statuses: string[]) => {
      const out: [number, readonly number[]][] = []
      for await (const { shard, indexes } of selectRetryRows(
        localFolder(given.out),
        given.manifest,
        statuses,
      )) {
        out.push([shard, indexes])
      }
      return out
    }
    expect(await found('http_5xx')).toEqual([
      [0, [5, 10, 15]],
      [2, [0]],
    ])
    expect(await found('http_503', 'http_404')).toEqual([
      [0, [0, 5, 7, 10, 14, 15]],
      [2, [0, 2]],
    ])
    expect(await found('failed')).toEqual([
      [0, [0, 5, 7, 10, 14, 15]],
      [2, [0, 2, 4]],
    ])
    expect(await found('timeout')).toEqual([])
    for (const word of ['nonsense', 'success']) {
      await expect(found(word)).rejects.toMatchObject({ code: 'ERR_USAGE' })
    }
  })
})
