import { createPackWriter, packFormats, type PackOptions, type PackPage } from '../../src/pack/index.ts'

/** Adds the given pages and is killed before it could finish. */
const [format, optionsJson = '{}', pagesJson = '[]'] = process.argv.slice(2)
const options: PackOptions = JSON.parse(optionsJson)
const pages: PackPage[] = JSON.parse(pagesJson)
const writer = createPackWriter(packFormats.find((known) => known === format) ?? 'pdf', options)
for (const page of pages) await writer.add(page)
process.kill(process.pid, 'SIGKILL')
