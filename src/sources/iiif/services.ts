import { firstText, objectsOf, positiveOf, textOf, type JsonObject } from '../json.ts'
import type { ReadText } from './language.ts'
import type { IiifAuth, IiifImageService, ImageApiVersion } from './model.ts'

/** All services of a resource and those nested in them, outermost first. */
function allServices(value: unknown, depth = 0): readonly JsonObject[] {
  // Real services nest three deep (image, probe, access, token).
  if (depth > 5) return []
  return objectsOf(value).flatMap((service) => [
    service,
    ...allServices(service['service'], depth + 1),
    ...allServices(service['services'], depth + 1),
  ])
}

/**
 * The image service of a resource: the highest version where there are several. Other services, such as search,
 * authentication and physical dimensions, stand in the same list.
 */
export function imageServiceOf(value: unknown): IiifImageService | undefined {
  let best: IiifImageService | undefined
  for (const service of objectsOf(value)) {
    const id = firstText(service['id'], service['@id'])
    const version = imageApiVersion(service)
    if (id === undefined || version === undefined) continue
    if (best === undefined || version > best.version) {
      best = { id: id.replace(/\/+$/, ''), version, embedded: service }
    }
  }
  return best
}

/** The version of the Image API that a service or an info.json speaks; undefined when it is something else. */
export function imageApiVersion(service: JsonObject): ImageApiVersion | undefined {
  const type = firstText(service['type'], service['@type']) ?? ''
  const typed = /ImageService([123])/.exec(type)?.[1]
  if (typed !== undefined) return versionOf(typed)
  const profiles = [service['profile']].flat().filter((profile) => typeof profile === 'string')
  const contexts = [service['@context']].flat().filter((context) => typeof context === 'string')
  const all = [...contexts, ...profiles].join(' ')
  const numbered = /\/api\/image\/([123])\b/.exec(all)?.[1]
  if (numbered !== undefined) return versionOf(numbered)
  // Version 1.0 and 1.1 lived at Stanford.
  if (/library\.stanford\.edu\/iiif\/image-api/.test(all)) return 1
  if (/^level\d$/.test(profiles[0] ?? '')) return service['@id'] === undefined ? 3 : 2
  return textOf(service['protocol']) === 'http://iiif.io/api/image' ? 2 : undefined
}

function versionOf(text: string): ImageApiVersion {
  return text === '1' ? 1 : text === '2' ? 2 : 3
}

/** Pixels an inch by the Physical Dimensions service (IIIF annex), of a canvas or manifest. */
export function dpiOf(value: unknown): number | undefined {
  for (const service of objectsOf(value)) {
    const marks = [service['@context'], service['profile']].flat().filter((mark) => typeof mark === 'string')
    if (!marks.some((mark) => mark.includes('physdim'))) continue
    const scale = positiveOf(service['physicalScale'])
    const inches = { in: 1, cm: 1 / 2.54, mm: 1 / 25.4 }[textOf(service['physicalUnits']) ?? '']
    if (scale === undefined || inches === undefined) continue
    const dpi = Math.round((1 / (scale * inches)) * 100) / 100
    // What is far out of range is a mistake in the manifest, such as metres.
    if (dpi >= 10 && dpi <= 10_000) return dpi
  }
  return undefined
}

/**
 * Access services among services: Authentication API 0 and 1 (login, clickthrough, kiosk, external) and
 * Authorization Flow API 2 (probe with access).
 */
export function authOf(value: unknown, read: ReadText): IiifAuth | undefined {
  const services = allServices(value)
  const probe = services.find((service) => typeName(service) === 'AuthProbeService2')
  const access =
    services.find((service) => typeName(service) === 'AuthAccessService2') ??
    services.find((service) =>
      /\/api\/auth\/[01](?:\.\d)?\/(?:login|clickthrough|kiosk|external)/.test(
        textOf(service['profile']) ?? '',
      ),
    )
  const source = access ?? probe
  if (source === undefined) return undefined
  const heading = read(source['heading']) ?? read(source['header']) ?? read(source['label'])
  const note = read(source['note']) ?? read(source['description'])
  const probeId = probe === undefined ? undefined : firstText(probe['id'], probe['@id'])
  return {
    id: firstText(source['id'], source['@id'], probeId) ?? 'access',
    ...(heading === undefined ? {} : { heading }),
    ...(note === undefined ? {} : { note }),
    ...(probeId === undefined ? {} : { probe: probeId }),
  }
}

function typeName(service: JsonObject): string | undefined {
  return firstText(service['type'], service['@type'])
}
