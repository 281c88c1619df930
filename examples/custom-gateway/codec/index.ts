/** The protocol on the wire, by which the property and fuzz tests find it when the folder lies under `gateways/`. */
import type { WireFormat } from 'omnigate/sdk'
import { decodeLine, encodeLine, type Line } from './line.ts'
import { LineFramer } from './line-framer.ts'

export { decodeLine, encodeLine, fitsInLine, type Line, type Verb } from './line.ts'
export { LineFramer } from './line-framer.ts'

const LONGEST_LINE = 65_536

export const wire: WireFormat<Line> = {
  codec: { decode: decodeLine, encode: encodeLine },
  framer: () => new LineFramer(LONGEST_LINE),
}
