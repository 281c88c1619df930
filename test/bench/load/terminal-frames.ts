/** Frames of a simulated JT/T 808 terminal, 2013 form (JT/T 808 4.4): its authentication, and location reports to send in turn. */

const FLAG = 0x7e
const ESCAPE = 0x7d
const AUTHENTICATE = 0x0102
const LOCATION = 0x0200

/** More than the frames that a platform compares with to find a repetition. */
const REPORTS = 512

/** Alarm, status, latitude, longitude, altitude, speed, direction, time; mileage, fuel, signal and satellites. */
const REPORT_BODY = Buffer.from(
  '00000002000000030157fb6a06cc62a20032025d005a261122130501' + '010400003039' + '020201c8' + '30011f' + '31010c',
  'hex',
)

export function authentication(phone: string): Buffer {
  return frame(AUTHENTICATE, phone, 0, Buffer.from('bench'))
}

/** Frames with serial numbers one after the other. */
export function reports(phone: string): readonly Buffer[] {
  return Array.from({ length: REPORTS }, (_, at) => frame(LOCATION, phone, at + 1, REPORT_BODY))
}

function frame(id: number, phone: string, sn: number, body: Buffer): Buffer {
  const plain = Buffer.alloc(12 + body.length + 1)
  plain.writeUInt16BE(id, 0)
  plain.writeUInt16BE(body.length, 2)
  plain.write(phone, 4, 'hex')
  plain.writeUInt16BE(sn, 10)
  body.copy(plain, 12)
  plain[plain.length - 1] = plain.reduce((code, octet) => code ^ octet, 0)
  const escaped = [...plain].flatMap((octet) => (octet === FLAG ? [ESCAPE, 2] : octet === ESCAPE ? [ESCAPE, 1] : [octet]))
  return Buffer.from([FLAG, ...escaped, FLAG])
}

/** Counts the general responses in a stream; no other message may come, and none that refuses. */
export class ResponseCounter {
  responses = 0
  #open: number[] | undefined

  read(chunk: Buffer, length: number): void {
    for (let i = 0; i < length; i++) {
      const octet = chunk[i] as number
      if (octet !== FLAG) this.#open?.push(octet)
      else if (this.#open === undefined) this.#open = []
      else {
        check(this.#open)
        this.#open = undefined
        this.responses++
      }
    }
  }
}

/** Result of 0x8001: after 12 octets of header, a serial number and an id. */
const RESULT_AT = 16

function check(escaped: readonly number[]): void {
  const plain: number[] = []
  for (let i = 0; i < escaped.length; i++) {
    const octet = escaped[i] as number
    plain.push(octet === ESCAPE ? (escaped[++i] === 2 ? FLAG : ESCAPE) : octet)
  }
  if (plain[0] === 0x80 && plain[1] === 0x01 && plain[RESULT_AT] === 0) return
  throw new Error(`the platform answered ${Buffer.from(plain).toString('hex')}`)
}

/** Counts the packets of an MQTT stream, which must all be PUBLISH of QoS 0, whatever their lengths (MQTT 3.1.1 2.2). */
export class PublishCounter {
  publishes = 0
  /** Octets of the current packet that are still to come. */
  #left = 0
  /** Where in the length of the current packet we are; undefined: at its first octet or inside of it. */
  #shift: number | undefined
  #length = 0

  read(chunk: Buffer, length: number): void {
    let at = 0
    while (at < length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, length - at)
        this.#left -= step
        at += step
        if (this.#left === 0) this.publishes++
        continue
      }
      const octet = chunk[at++] as number
      if (this.#shift === undefined) {
        if (octet !== 0x30) throw new Error(`the subscriber received 0x${octet.toString(16)} where a PUBLISH was due`)
        this.#shift = 0
        this.#length = 0
      } else {
        this.#length += (octet & 0x7f) << this.#shift
        this.#shift = octet >= 0x80 ? this.#shift + 7 : undefined
        if (this.#shift === undefined) this.#left = this.#length
      }
    }
  }
}
