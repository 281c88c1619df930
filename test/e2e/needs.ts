/** What a test needs of the project: a gateway whose folder was deleted takes its tests along. */
import { gatewayFolders } from '../support/source-tree.ts'

const present = new Set(gatewayFolders())

/** For `skip`: why the test cannot run, or false. */
export function without(...gateways: readonly string[]): string | false {
  const missing = gateways.filter((name) => !present.has(name))
  return missing.length === 0 ? false : `no gateway ${missing.join(', ')} on disk`
}
