import type { BenchSetting } from '../benchmark.ts'
import type { Contender } from '../contender.ts'
import type { TrawlPeer } from './trawl.ts'

/** Who takes part: every build of trawl, then the peers that are installed and asked for. */
export function chosen(
  setting: BenchSetting,
  ours: (trawl: TrawlPeer) => Contender,
  peers: readonly (Contender | undefined)[],
): readonly Contender[] {
  const wanted = setting.peers
  const present = peers.filter((peer) => peer !== undefined)
  const asked = present.filter(({ name }) => wanted?.some((prefix) => name.startsWith(prefix)) ?? true)
  return [...setting.trawls.map(ours), ...asked]
}
