/** The `$SYS` trees by the names that the config has for them. */
import { EmqxTree } from './sys-emqx.ts'
import { MosquittoTree } from './sys-mosquitto.ts'
import { type SysSource, SysTopics } from './sys-topics.ts'

const TREES = { mosquitto: MosquittoTree, emqx: EmqxTree } as const

export function openSys(names: readonly (keyof typeof TREES)[], source: SysSource): SysTopics {
  return new SysTopics(
    source.core,
    names.map((name) => new TREES[name](source)),
  )
}
