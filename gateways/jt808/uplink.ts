/** What becomes of each message that a terminal sends: the name of its event, and how it is answered (JT/T 808 8). */
import { idOf, type Message, type UplinkType } from './codec/index.ts'

/** Messages with a life of their own in the session. */
type Handled =
  | 'terminal-response'
  | 'heartbeat'
  | 'deregister'
  | 'register'
  | 'authenticate'
  | 'location'
  | 'location-batch'
  | 'time-query'
  | 'terminal-resend'

export type EventType = Exclude<UplinkType, Handled>

/**
 * `response`: 0x8001 when the broker has accepted the event; `none`: the message is a reply itself; `media`: 0x8800;
 * `file`: 0x9212; `key`: 0x8A00, or 0x8001 with result 3 where bodies are not encrypted.
 */
export type Answer = 'response' | 'none' | 'media' | 'file' | 'key'

const ANSWERS: Readonly<Record<EventType, Answer>> = {
  'parameters-reply': 'none',
  'attributes-reply': 'none',
  'upgrade-result': 'response',
  'location-reply': 'none',
  'event-report': 'response',
  'question-answer': 'none',
  'information-demand': 'response',
  'control-reply': 'none',
  'areas-reply': 'none',
  'recorder-data': 'none',
  waybill: 'response',
  'driver-identity': 'response',
  'can-data': 'response',
  'media-event': 'response',
  'media-data': 'media',
  'media-search-reply': 'none',
  'shot-reply': 'none',
  'pass-through': 'response',
  compressed: 'response',
  'terminal-key': 'key',
  'av-attributes': 'none',
  passengers: 'response',
  recordings: 'none',
  'upload-done': 'response',
  'attachment-list': 'response',
  'file-begin': 'response',
  'file-end': 'file',
  'upgrade-progress': 'response',
}

const BY_ID = new Map<number, Answer>(Object.entries(ANSWERS).map(([type, answer]) => [idOf(type as EventType), answer]))

export type EventMessage = Extract<Message, { type: EventType }>

export function isEvent(message: Message): message is EventMessage {
  return Object.hasOwn(ANSWERS, message.type)
}

/** How the message with this id is answered; locations as any report. */
export function answerOf(id: number): Answer {
  return BY_ID.get(id) ?? 'response'
}
