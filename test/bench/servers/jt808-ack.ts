/**
 * The least a platform for JT/T 808 terminals can do: cuts the stream into frames, unescapes and checks each, and answers it with
 * the general response 0x8001, result 0. It decodes and publishes nothing. 2013 header only. Usage: jt808-ack.js PORT
 */
import { createServer, type Socket } from 'node:net'

const FLAG = 0x7e
const ESCAPE = 0x7d
/** Id, attributes, phone, serial number. */
const HEADER_BYTES = 12
const RESPONSE = 0x8001
const RESPONSE_BODY_BYTES = 5

/** Header, body and check code of an answer before it is escaped. */
const plain = Buffer.alloc(HEADER_BYTES + RESPONSE_BODY_BYTES + 1)

class Terminal {
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #sn = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#read(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])))
    socket.on('error', () => socket.destroy())
  }

  #read(bytes: Buffer): void {
    const answers: Buffer[] = []
    let at = 0
    for (;;) {
      const start = bytes.indexOf(FLAG, at)
      const end = start === -1 ? -1 : bytes.indexOf(FLAG, start + 1)
      if (end === -1) break
      const message = unescaped(bytes, start + 1, end)
      if (message !== undefined) answers.push(this.#answer(message))
      at = end + 1
    }
    this.#rest = Buffer.from(bytes.subarray(at))
    if (answers.length === 1) this.#socket.write(answers[0] as Buffer)
    else if (answers.length > 1) this.#socket.write(Buffer.concat(answers))
  }

  #answer(message: Buffer): Buffer {
    plain.writeUInt16BE(RESPONSE, 0)
    plain.writeUInt16BE(RESPONSE_BODY_BYTES, 2)
    message.copy(plain, 4, 4, 10)
    plain.writeUInt16BE(this.#sn, 10)
    this.#sn = (this.#sn + 1) & 0xffff
    message.copy(plain, 12, 10, 12)
    message.copy(plain, 14, 0, 2)
    plain[16] = 0
    plain[17] = checkCode(plain, 17)
    return escaped(plain)
  }
}

/** Undefined when the escapes, the check code or the length are wrong. */
function unescaped(bytes: Buffer, start: number, end: number): Buffer | undefined {
  const message = Buffer.allocUnsafe(end - start)
  let length = 0
  for (let i = start; i < end; i++) {
    const octet = bytes[i] as number
    if (octet !== ESCAPE) message[length++] = octet
    else {
      const code = bytes[++i]
      if (code !== 1 && code !== 2) return undefined
      message[length++] = code === 1 ? ESCAPE : FLAG
    }
  }
  if (length <= HEADER_BYTES || checkCode(message, length) !== 0) return undefined
  return length === HEADER_BYTES + (message.readUInt16BE(2) & 0x3ff) + 1 ? message.subarray(0, length) : undefined
}

function checkCode(bytes: Buffer, length: number): number {
  let code = 0
  for (let i = 0; i < length; i++) code ^= bytes[i] as number
  return code
}

function escaped(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + 2 * message.length)
  let at = 0
  frame[at++] = FLAG
  for (const octet of message) {
    if (octet === FLAG || octet === ESCAPE) {
      frame[at++] = ESCAPE
      frame[at++] = octet === FLAG ? 2 : 1
    } else frame[at++] = octet
  }
  frame[at++] = FLAG
  return frame.subarray(0, at)
}

createServer((socket) => new Terminal(socket)).listen(Number(process.argv[2]), '127.0.0.1', 1024, () => console.log('ready'))
