import type { Place, Validators } from '../../core/index.ts'
import { parseEntityTag } from '../../http/index.ts'
import { hostOf } from '../run/host-of.ts'
import type { EntityFacts } from '../transfer/transfer.ts'

/**
 * How sure it is that an answer has the version on record. `strong` is a strong entity tag; `date` the same
 * Last-Modified where there is no tag to compare, or the same weak tag. Lengths must agree where both are known.
 */
export function sameVersion(
  recorded: { readonly validators?: Validators; readonly lengthBytes: number },
  facts: Pick<EntityFacts, 'lengthBytes' | 'validators'>,
): 'strong' | 'date' | 'no' {
  if (facts.lengthBytes !== undefined && facts.lengthBytes !== recorded.lengthBytes) return 'no'
  const before = parseEntityTag(recorded.validators?.etag)
  const now = parseEntityTag(facts.validators.etag)
  if (before && now) {
    if (before.value !== now.value) return 'no'
    return before.weak || now.weak ? 'date' : 'strong'
  }
  const { lastModified } = facts.validators
  return lastModified !== undefined && lastModified === recorded.validators?.lastModified ? 'date' : 'no'
}

/** True where the record has a tag that stands for exact bytes. */
export function hasStrongTag(validators: Validators | undefined): boolean {
  const tag = parseEntityTag(validators?.etag)
  return tag !== undefined && !tag.weak
}

/**
 * Places that are asked for the file only where it is not the version on record (RFC 9110, 13.1). Validators mean
 * something to their own origin only, so other places are asked as before.
 */
export function conditionalPlaces(
  places: readonly Place[],
  { validators, url }: { readonly validators: Validators; readonly url: string },
): readonly Place[] {
  const { etag, lastModified } = validators
  const condition = {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  }
  if (Object.keys(condition).length === 0) return places
  const asked = places[0]?.url
  return places.map((place) =>
    // A redirect leads from the first place to the origin that answered.
    place.url === asked || hostOf(place.url) === hostOf(url)
      ? { ...place, headers: { ...place.headers, ...condition } }
      : place,
  )
}
