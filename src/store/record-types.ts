/**
 * The records of the journal: the first octet of a log record's body. Numbers are big-endian; a session is a 32-bit
 * number, a message a 48-bit one, both given once. Values are part of the format and never change meaning.
 *
 *     MESSAGE     message(6) receiver message-block     a message and its first receiver
 *     RECEIVER    message(6) receiver                   one more receiver of it, or its state anew
 *     SENT        session(4) message(6) id(2)
 *     RECEIVED    session(4) message(6)                 QoS 2, first half done
 *     DONE        session(4) message(6)
 *     RETAINED    message-block
 *     UNRETAINED  topic
 *     SESSION     session(4) JSON                       facts of a session, anew
 *     ENDED       session(4)
 *     SUBSCRIBED  session(4) JSON
 *     UNSUBSCRIBED session(4) filter
 *     REMEMBERED  session(4) JSON of [key, value]
 *     FORGOTTEN   session(4) key
 *     DELAYED     message(6) due-at(8) message-block
 *     FIRED       message(6)
 *     NOTED       JSON of [gateway, key, value]
 *     ERASED      JSON of [gateway, key]
 */
export const MESSAGE = 1
export const RECEIVER = 2
export const SENT = 3
export const RECEIVED = 4
export const DONE = 5
export const RETAINED = 6
export const UNRETAINED = 7
export const SESSION = 8
export const ENDED = 9
export const SUBSCRIBED = 10
export const UNSUBSCRIBED = 11
export const REMEMBERED = 12
export const FORGOTTEN = 13
export const DELAYED = 14
export const FIRED = 15
export const NOTED = 16
export const ERASED = 17

/** Octets of a session's number and a message's. */
export const SESSION_BYTES = 4
export const MESSAGE_BYTES = 6

export function writeSession(bytes: Uint8Array, at: number, session: number): number {
  bytes[at] = session >>> 24
  bytes[at + 1] = session >>> 16
  bytes[at + 2] = session >>> 8
  bytes[at + 3] = session
  return at + SESSION_BYTES
}

export function readSession(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

export function writeMessage(bytes: Uint8Array, at: number, message: number): number {
  const high = Math.floor(message / 0x1_0000_0000)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  return writeSession(bytes, at + 2, message)
}

export function readMessage(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) * 0x1_0000_0000 + readSession(bytes, at + 2)
}
