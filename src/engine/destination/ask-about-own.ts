import { describeLocator, type DownloadTask, type Place } from '../../core/index.ts'
import type { IntentRecord } from '../../storage/index.ts'
import type { Admission } from './destination.ts'
import { conditionalPlaces } from './same-version.ts'

/** The admission of a finished file whose origin is asked whether it has another version by now. */
export function askAboutOwn(
  task: DownloadTask,
  places: readonly Place[],
  { path, lengthBytes, crc32, facts }: IntentRecord,
): Admission {
  const { validators = {}, url = describeLocator(task.locator) } = facts
  return {
    admit: 'fetch',
    path,
    replaces: { lengthBytes, crc32 },
    places: conditionalPlaces(places, { validators, url }),
    found: { where: 'own', proof: 'answer', path, lengthBytes, crc32, validators, url },
  }
}
