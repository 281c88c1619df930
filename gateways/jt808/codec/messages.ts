/** The messages whose bodies are decoded, by name; everything else is opaque. A new body adds one row. */
import { Writer } from '#bytes/writer'
import * as areas from './bodies/areas.ts'
import * as attachments from './bodies/attachments.ts'
import { authenticate } from './bodies/authenticate.ts'
import * as control from './bodies/control.ts'
import * as empty from './bodies/empty.ts'
import type { BodyFormat } from './bodies/format.ts'
import { platformResponse, terminalResponse } from './bodies/general-response.ts'
import * as information from './bodies/information.ts'
import { location } from './bodies/location.ts'
import * as multimedia from './bodies/multimedia.ts'
import * as parameters from './bodies/parameters.ts'
import * as pass from './bodies/pass-through.ts'
import * as positions from './bodies/positions.ts'
import * as recorder from './bodies/recorder.ts'
import { register } from './bodies/register.ts'
import { registerResponse } from './bodies/register-response.ts'
import * as resend from './bodies/resend.ts'
import { textMessage } from './bodies/text-message.ts'
import * as video from './bodies/video.ts'
import type { Shape } from './declare/shape.ts'
import type { Header, HeaderForm } from './header.ts'

const UPLINK = {
  'terminal-response': terminalResponse,
  heartbeat: empty.heartbeat,
  deregister: empty.deregister,
  'time-query': empty.timeQuery,
  'terminal-resend': resend.terminalResend,
  register,
  authenticate,
  'parameters-reply': parameters.parametersReply,
  'attributes-reply': control.attributesReply,
  'upgrade-result': control.upgradeResult,
  location,
  'location-reply': positions.locationReply,
  'event-report': information.eventReport,
  'question-answer': information.questionAnswer,
  'information-demand': information.informationDemand,
  'control-reply': positions.controlReply,
  'areas-reply': areas.areasReply,
  'recorder-data': recorder.recorderData,
  waybill: recorder.waybill,
  'driver-identity': recorder.driverIdentity,
  'location-batch': positions.locationBatch,
  'can-data': recorder.canData,
  'media-event': multimedia.mediaEvent,
  'media-data': multimedia.mediaData,
  'media-search-reply': multimedia.mediaSearchReply,
  'shot-reply': multimedia.shotReply,
  'pass-through': pass.passUp,
  compressed: pass.compressed,
  'terminal-key': pass.terminalKey,
  'av-attributes': video.avAttributes,
  passengers: video.passengers,
  recordings: video.recordings,
  'upload-done': video.uploadDone,
  'attachment-list': attachments.attachmentList,
  'file-begin': attachments.fileBegin,
  'file-end': attachments.fileEnd,
  'upgrade-progress': attachments.upgradeProgress,
} as const

const DOWNLINK = {
  'platform-response': platformResponse,
  'platform-resend': resend.platformResend,
  'server-time': resend.serverTime,
  'register-response': registerResponse,
  'set-parameters': parameters.setParameters,
  'parameters-query-all': empty.parametersQueryAll,
  'terminal-control': control.terminalControl,
  'parameters-query': parameters.parametersQuery,
  'attributes-query': empty.attributesQuery,
  upgrade: control.upgrade,
  'location-query': empty.locationQuery,
  tracking: positions.tracking,
  'alarm-confirmation': control.alarmConfirmation,
  'link-check': empty.linkCheck,
  'text-message': textMessage,
  'set-events': information.setEvents,
  question: information.question,
  'set-menu': information.setMenu,
  information: information.information,
  'call-back': information.callBack,
  'phone-book': information.phoneBook,
  'vehicle-control': information.vehicleControl,
  'set-circles': areas.setCircles,
  'delete-circles': areas.deleteCircles,
  'set-rectangles': areas.setRectangles,
  'delete-rectangles': areas.deleteRectangles,
  'set-polygon': areas.setPolygon,
  'delete-polygons': areas.deletePolygons,
  'set-route': areas.setRoute,
  'delete-routes': areas.deleteRoutes,
  'areas-query': areas.areasQuery,
  'recorder-query': recorder.recorderQuery,
  'recorder-settings': recorder.recorderSettings,
  'driver-query': empty.driverQuery,
  'media-response': multimedia.mediaResponse,
  shoot: multimedia.shoot,
  'media-search': multimedia.mediaSearch,
  'media-upload': multimedia.mediaUpload,
  'audio-recording': multimedia.audioRecording,
  'single-upload': multimedia.singleUpload,
  'pass-down': pass.passDown,
  'platform-key': pass.platformKey,
  'av-attributes-query': empty.avAttributesQuery,
  'live-video': video.liveVideo,
  'live-control': video.liveControl,
  'live-status': video.liveStatus,
  playback: video.playback,
  'playback-control': video.playbackControl,
  'recordings-query': video.recordingsQuery,
  'upload-request': video.uploadRequest,
  'upload-control': video.uploadControl,
  'attachment-request': attachments.attachmentRequest,
  'file-response': attachments.fileResponse,
  rotate: video.rotate,
  focus: video.focus,
  iris: video.iris,
  wiper: video.wiper,
  infrared: video.infrared,
  zoom: video.zoom,
} as const

const FORMATS = { ...UPLINK, ...DOWNLINK }

type Formats = typeof FORMATS

/** Name of a message that a terminal sends. */
export type UplinkType = keyof typeof UPLINK
/** Name of a message that the platform sends. */
export type DownlinkType = keyof typeof DOWNLINK

/** What the body of each message holds. */
export type Bodies = { readonly [T in keyof Formats]: Formats[T] extends BodyFormat<infer Body> ? Body : never }

/** A body with its name; what a platform or a terminal composes. */
export type Draft = { [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] } }[keyof Bodies]

/** A message whose body is octets: unknown, a part of a longer one, encrypted, or not as its table says. */
export interface Opaque {
  readonly type: 'opaque'
  readonly why: 'unknown' | 'part' | 'encrypted' | 'malformed'
  /** May be a view of the frame. */
  readonly body: Uint8Array
}

export type Message = (Draft | Opaque) & { readonly header: Header }

/** Messages of one type. */
export type Of<T extends Message['type']> = Extract<Message, { type: T }>

interface Entry {
  readonly type: Draft['type']
  readonly format: BodyFormat<unknown>
}

const BY_ID = new Map<number, Entry>()
for (const [type, format] of Object.entries(FORMATS))
  BY_ID.set(format.id, { type: type as Draft['type'], format: format as BodyFormat<unknown> })

const DOWN_IDS: ReadonlySet<number> = new Set(Object.values(DOWNLINK).map((format) => format.id))

/** Ids of the messages whose bodies are decoded. */
export const KNOWN_IDS: readonly number[] = [...BY_ID.keys()].sort((a, b) => a - b)

/** Reused for every body; what leaves is a copy. */
const body = new Writer()

/** Message id of a body. */
export function messageId(draft: Draft): number {
  return FORMATS[draft.type].id
}

/** Message id by name. */
export function idOf(type: Draft['type']): number {
  return FORMATS[type].id
}

/** Name of a message; undefined when its body is not decoded. */
export function typeOf(id: number): Draft['type'] | undefined {
  return BY_ID.get(id)?.type
}

/** The message with this header and the body at `bytes[start, end)`. */
export function readMessage(header: Header, bytes: Uint8Array, start: number, end: number): Message {
  const opaque = (why: Opaque['why']): Message => ({ type: 'opaque', why, header, body: bytes.subarray(start, end) })
  if (header.encryption !== 0) return opaque('encrypted')
  if (header.part !== undefined) return opaque('part')
  const entry = BY_ID.get(header.id)
  if (entry === undefined) return opaque('unknown')
  const body = entry.format.decode(bytes, start, end, header.form)
  return body === undefined ? opaque('malformed') : ({ type: entry.type, header, body } as Message)
}

/** The body of a draft as octets. */
export function writeBody(draft: Draft, form: HeaderForm): Uint8Array {
  body.reset()
  const format = FORMATS[draft.type] as BodyFormat<unknown>
  format.encode(body, draft.body, form)
  return body.finish()
}

/** The body of a draft as it is published. */
export function presentBody(draft: Draft): object {
  const format = FORMATS[draft.type] as BodyFormat<unknown>
  return format.present(draft.body)
}

/** The message `id` from the JSON of its body; undefined when there is none, or its body is not decoded. */
export function takeDraft(
  id: number,
  json: unknown,
  form: HeaderForm,
): Draft | { readonly faults: readonly string[] } | undefined {
  const entry = BY_ID.get(id)
  if (entry === undefined) return undefined
  const taken = entry.format.take(json, form)
  return 'faults' in taken ? taken : ({ type: entry.type, body: taken.body } as Draft)
}

/** Whether the platform sends the message `id`, of those that are decoded. */
export function isDownlink(id: number): boolean {
  return DOWN_IDS.has(id)
}

/** Every message that is decoded, in the order of ids, with its body as data. */
export const DECLARED: readonly { readonly id: number; readonly type: Draft['type']; readonly shape: Shape }[] = [
  ...BY_ID.values(),
]
  .map(({ type, format }) => ({ id: format.id, type, shape: format.shape }))
  .sort((a, b) => a.id - b.id)
