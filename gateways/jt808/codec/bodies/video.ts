/** Signalling of video over this protocol (JT/T 1078 5.3 to 5.6): 0x1003 to 0x1206, 0x9003 to 0x9306. */
import { bcd, countedText, hexOf, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, list, struct } from '../declare/struct.ts'

/** 0x1003, answer to 0x9003. */
export const avAttributes = declared(0x1003, {
  audio_codec: u8,
  channels: u8,
  sample_rate: u8,
  bits: u8,
  frame_len: u16,
  audio_out: u8,
  video_codec: u8,
  max_audio_channels: u8,
  max_video_channels: u8,
})

/** 0x1005: passengers that got on and off. */
export const passengers = declared(0x1005, { start_time: bcd(6), end_time: bcd(6), on: u16, off: u16 })

/** `alarm`: 64 flags. */
const span = { start_time: bcd(6), end_time: bcd(6), alarm: hexOf(8) }
const kind = { media: u8, stream: u8, storage: u8 }

/** 0x1205, answer to 0x9205. */
export const recordings = declared(0x1205, {
  seq: u16,
  length: countOf(u32, 'items'),
  items: list('length', struct({ channel: u8, ...span, ...kind, size: u32 })),
})

/** 0x1206: an upload that 0x9206 asked for has ended. */
export const uploadDone = declared(0x1206, { seq: u16, result: u8 })

/** 0x9101. `media`: 0 both, 1 video, 2 talk, 3 listen in, 4 broadcast, 5 transparent. */
export const liveVideo = declared(0x9101, {
  ip: countedText(u8),
  tcp_port: u16,
  udp_port: u16,
  channel: u8,
  media: u8,
  stream: u8,
})

/** 0x9102. `command`: 0 close, 1 switch stream, 2 pause, 3 resume, 4 end talk. */
export const liveControl = declared(0x9102, { channel: u8, command: u8, close_type: u8, stream: u8 })

/** 0x9105: packets lost, percent. */
export const liveStatus = declared(0x9105, { channel: u8, loss_rate: u8 })

/** 0x9201 */
export const playback = declared(0x9201, {
  ip: countedText(u8),
  tcp_port: u16,
  udp_port: u16,
  channel: u8,
  ...kind,
  mode: u8,
  speed: u8,
  start_time: bcd(6),
  end_time: bcd(6),
})

/** 0x9202. `position` is where to go on, for dragging. */
export const playbackControl = declared(0x9202, { channel: u8, control: u8, speed: u8, position: bcd(6) })

/** 0x9205 */
export const recordingsQuery = declared(0x9205, { channel: u8, ...span, ...kind })

/** 0x9206: upload to an FTP server. `condition`: bit 0 WLAN, 1 LAN, 2 mobile. */
export const uploadRequest = declared(0x9206, {
  host: countedText(u8),
  port: u16,
  user: countedText(u8),
  password: countedText(u8),
  path: countedText(u8),
  channel: u8,
  ...span,
  ...kind,
  condition: u8,
})

/** 0x9207. `control`: 0 pause, 1 resume, 2 cancel. */
export const uploadControl = declared(0x9207, { seq: u16, control: u8 })

/** 0x9301. `direction`: 0 stop, 1 up, 2 down, 3 left, 4 right. */
export const rotate = declared(0x9301, { channel: u8, direction: u8, speed: u8 })

const adjustment = (id: number) => declared(id, { channel: u8, param: u8 })

export const focus = adjustment(0x9302)
export const iris = adjustment(0x9303)
export const wiper = adjustment(0x9304)
export const infrared = adjustment(0x9305)
export const zoom = adjustment(0x9306)
