/** `node pack-folder.js FORMAT FOLDER FILE`: packs a folder of images, as `trawl pack` does. */
import { createPackFan, createPackWriter, openPack, packFormats, repack } from '../../src/pack/index.ts'

const [format, folder = '.', path = 'book.pdf'] = process.argv.slice(2)
const known = packFormats.find((name) => name === format)
if (known === undefined) throw new Error(`no format ${format ?? ''}`)
const writer = createPackWriter(known, { path, replace: true, durability: 'none' })
await repack(await openPack(folder), createPackFan([writer]), { metadata: { title: 'Pages' } })
