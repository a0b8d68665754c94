import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { integer, list, path, text, toggle } from '../kinds.ts'

/** `trawl serve`. */
export const serverGroup = defineGroup({
  name: 'server',
  title: 'Server',
  about: 'The web page and the API of `trawl serve`.',
  fields: () => ({
    host: field(text('ADDRESS'), { description: 'Address to listen on.', default: '127.0.0.1' }),
    port: field(integer({ min: 0, max: 65_535 }), {
      description: 'Port to listen on; 0 takes a free one.',
      default: 7400,
      placeholder: 'PORT',
    }),
    token: field(text('TEXT'), {
      description: 'Token that clients must show. There is no flag: others could see it.',
      unset: 'a random one, told at the start',
      flag: false,
      secret: true,
    }),
    tokenFile: field(path('FILE'), { description: 'File with the token that clients must show.' }),
    allowPrivate: field(toggle, {
      description: 'Let jobs reach private and local addresses.',
      default: false,
      file: 'not-project',
    }),
    allowOrigin: field(list(text('ORIGINS', 'origins such as https://example.org'), { separator: ',' }), {
      description: 'Web origins, besides its own, that may use the API.',
      default: [],
      file: 'not-project',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type ServerOptions = OptionsOf<typeof serverGroup>
