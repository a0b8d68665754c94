import { readFile } from 'node:fs/promises'
import type { ResizedSample } from '../../images/index.ts'
import type { ShardPlan, ShardRow } from '../plan/index.ts'
import type { SampleLayout } from '../samples/index.ts'
import { localFolder, readShard, readShardState, type ReadShardOptions } from '../shards/index.ts'

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
    if (shard !== undefined) thumbnails.push(...(await fromShard({ out, shard, plan, layout })))
  }
  return thumbnails
}

async function fromShard(options: ReadShardOptions): Promise<Thumbnail[]> {
  const { resizeSample } = await import('../../images/index.ts')
  const found: Promise<Thumbnail | undefined>[] = []
  const chosen = { ...options, wantsImage: (successes: number) => successes % stride === 0 }
  for await (const { sample } of readShard(chosen)) {
    const { image, row } = sample
    if (image === undefined) continue
    const bytes = image instanceof Uint8Array ? image : await readFile(image.path)
    const small = resizeSample(bytes, {
      sizePx: thumbnailPx,
      mode: 'keep_ratio_largest',
      onlyIfBigger: true,
      encode: 'jpg',
      quality: 75,
    })
    found.push(
      small.then(
        (made) => thumbnailOf(row, made),
        () => undefined,
      ),
    )
    if (found.length >= samplesOfShard) break
  }
  return (await Promise.all(found)).filter((thumbnail) => thumbnail !== undefined)
}

function thumbnailOf({ key, caption }: ShardRow, { widthPx, heightPx, bytes }: ResizedSample): Thumbnail {
  const source = `data:image/jpeg;base64,${bytes.toString('base64')}`
  return { key, caption: caption ?? null, widthPx, heightPx, source }
}
