/** Signalling of video over this protocol (JT/T 1078 5.3 to 5.6): 0x1003 to 0x1206, 0x9003 to 0x9306. */
import { bcd, countedText, hexOf, noted, u8, u16, u32 } from '../declare/field.ts'
import { countOf, declared, list, struct } from '../declare/struct.ts'

/** 0x1003, answer to 0x9003. */
export const avAttributes = declared(0x1003, {
  audio_codec: u8,
  channels: u8,
  sample_rate: noted(u8, '0 8 kHz, 1 22.05 kHz, 2 44.1 kHz, 3 48 kHz'),
  bits: noted(u8, '0 8, 1 16, 2 32'),
  frame_len: u16,
  audio_out: noted(u8, '1 is there'),
  video_codec: u8,
  max_audio_channels: u8,
  max_video_channels: u8,
})

/** 0x1005: passengers that got on and off. */
export const passengers = declared(0x1005, { start_time: bcd(6), end_time: bcd(6), on: u16, off: u16 })

const time = noted(bcd(6), 'YYMMDDhhmmss at GMT+8; zeros are no bound')
const period = { start_time: time, end_time: time }
const span = { ...period, alarm: noted(hexOf(8), '64 flags: those of a location report in the lower half') }
const kind = {
  media: noted(u8, '0 both, 1 audio, 2 video, 3 either'),
  stream: noted(u8, '0 any, 1 main, 2 sub'),
  storage: noted(u8, '0 any, 1 main, 2 disaster recovery'),
}

/** 0x1205, answer to 0x9205. */
export const recordings = declared(0x1205, {
  seq: u16,
  length: countOf(u32, 'items'),
  items: list('length', struct({ channel: u8, ...span, ...kind, size: u32 })),
})

/** 0x1206: an upload has ended. */
export const uploadDone = declared(0x1206, { seq: noted(u16, 'serial number of 0x9206'), result: noted(u8, '0 done, 1 failed') })

/** 0x9101 */
export const liveVideo = declared(0x9101, {
  ip: countedText(u8),
  tcp_port: u16,
  udp_port: u16,
  channel: u8,
  media: noted(u8, '0 both, 1 video, 2 talk, 3 listen in, 4 broadcast, 5 transparent'),
  stream: noted(u8, '0 main, 1 sub'),
})

/** 0x9102 */
export const liveControl = declared(0x9102, {
  channel: u8,
  command: noted(u8, '0 close, 1 switch stream, 2 pause, 3 resume, 4 end talk'),
  close_type: noted(u8, '0 both, 1 audio, 2 video'),
  stream: noted(u8, '0 main, 1 sub'),
})

/** 0x9105 */
export const liveStatus = declared(0x9105, { channel: u8, loss_rate: noted(u8, 'packets lost, %') })

/** 0x9201 */
export const playback = declared(0x9201, {
  ip: countedText(u8),
  tcp_port: u16,
  udp_port: u16,
  channel: u8,
  ...kind,
  mode: noted(u8, '0 normal, 1 fast forward, 2 fast backward by key frames, 3 key frames, 4 single frame'),
  speed: noted(u8, '0 none, 1 to 5: 1, 2, 4, 8, 16 times'),
  ...period,
})

/** 0x9202 */
export const playbackControl = declared(0x9202, {
  channel: u8,
  control: noted(u8, '0 start, 1 pause, 2 stop, 3 fast forward, 4 fast backward, 5 drag, 6 key frames'),
  speed: noted(u8, '0 none, 1 to 5: 1, 2, 4, 8, 16 times'),
  position: noted(bcd(6), 'where to go on, for dragging'),
})

/** 0x9205 */
export const recordingsQuery = declared(0x9205, { channel: u8, ...span, ...kind })

/** 0x9206: upload to an FTP server. */
export const uploadRequest = declared(0x9206, {
  host: countedText(u8),
  port: u16,
  user: countedText(u8),
  password: countedText(u8),
  path: countedText(u8),
  channel: u8,
  ...span,
  ...kind,
  condition: noted(u8, 'flags: 0 WLAN, 1 LAN, 2 mobile'),
})

/** 0x9207 */
export const uploadControl = declared(0x9207, {
  seq: noted(u16, 'serial number of 0x9206'),
  control: noted(u8, '0 pause, 1 resume, 2 cancel'),
})

/** 0x9301 */
export const rotate = declared(0x9301, {
  channel: u8,
  direction: noted(u8, '0 stop, 1 up, 2 down, 3 left, 4 right'),
  speed: noted(u8, '0 to 255'),
})

const adjustment = (id: number, note: string) => declared(id, { channel: u8, param: noted(u8, note) })

const LARGER_SMALLER = '0 larger, 1 smaller'
const STOP_START = '0 stop, 1 start'

export const focus = adjustment(0x9302, LARGER_SMALLER)
export const iris = adjustment(0x9303, LARGER_SMALLER)
export const wiper = adjustment(0x9304, STOP_START)
export const infrared = adjustment(0x9305, STOP_START)
export const zoom = adjustment(0x9306, LARGER_SMALLER)
