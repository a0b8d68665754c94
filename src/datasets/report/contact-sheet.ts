import { readFile } from 'node:fs/promises'
import type { ShardPlan } from '../plan/index.ts'
import type { SampleLayout } from '../samples/index.ts'
import { localFolder, readShard, readShardState } from '../shards/index.ts'

const shardsShown = 12
const samplesOfShard = 4
/** Of so many successes of a shard one is shown, so that neighbours of the table do not stand side by side. */
const stride = 16
const thumbnailPx = 112

/** A small picture for the contact sheet. */
export interface Thumbnail {
  readonly key: string
  readonly caption: string | null
  readonly widthPx: number
  readonly heightPx: number
  /** A `data:` URI. */
  readonly source: string
}

/**
 * Takes up to 48 images from shards spread over the dataset and makes small JPEGs of them: some hundred kilobytes at
 * most. Images that cannot be decoded are left out. Throws ERR_PACK_DAMAGED, ERR_INPUT_UNREADABLE and storage errors.
 */
export async function contactSheet(out: string, plan: ShardPlan, layout: SampleLayout): Promise<Thumbnail[]> {
  const committed = [...(await readShardState(localFolder(out), plan.manifest)).committed()]
  const step = Math.max(1, committed.length / shardsShown)
  const thumbnails: Thumbnail[] = []
  for (let at = 0; at < committed.length; at += step) {
    const shard = committed[Math.floor(at)]
    if (shard !== undefined) thumbnails.push(...(await fromShard(out, shard, { plan, layout })))
  }
  return thumbnails
}

async function fromShard(
  out: string,
  shard: number,
  given: { readonly plan: ShardPlan; readonly layout: SampleLayout },
): Promise<Thumbnail[]> {
  const { resizeSample } = await import('../../images/index.ts')
  const found: Thumbnail[] = []
  let successes = 0
  for await (const { sample } of readShard({ out, shard, ...given })) {
    if (sample.image === undefined || successes++ % stride !== 0) continue
    const bytes = sample.image instanceof Uint8Array ? sample.image : await readFile(sample.image.path)
    const small = await resizeSample(bytes, {
      sizePx: thumbnailPx,
      mode: 'keep_ratio_largest',
      onlyIfBigger: true,
      encode: 'jpg',
      quality: 75,
    }).catch(() => undefined)
    if (small) {
      found.push({
        key: sample.row.key,
        caption: sample.row.caption ?? null,
        widthPx: small.widthPx,
        heightPx: small.heightPx,
        source: `data:image/jpeg;base64,${small.bytes.toString('base64')}`,
      })
    }
    if (found.length >= samplesOfShard) break
  }
  return found
}
