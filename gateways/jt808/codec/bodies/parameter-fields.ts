/**
 * Terminal parameters that hold several values: JT/T 808 tables 12 (2019) and 17, JT/T 1078 table 1, and those of active safety
 * (T/JSATL 12; Guangdong's terminals have more members in the octets that are reserved there), in which 0xff leaves a value as it is.
 */
import { arrayOf } from '../declare/array.ts'
import { bcd, type Field, hexOf, noted, text, u8, u16, u32 } from '../declare/field.ts'
import { bits, packed } from '../declare/packed.ts'
import { type Fields, orElse, orLikelyForm, struct, surplus } from '../declare/struct.ts'

// ---- JT/T 808 ------------------------------------------------------------------------------------------------------

/** 0x0032, 2019. Plain numbers, not BCD. */
const illegalDriving = struct({ start_hour: u8, start_minute: u8, end_hour: u8, end_minute: u8 })

/** 0x0110 to 0x01ff: how one CAN id is collected. */
const canCollection = struct({
  period_ms: noted(u32, '0 collects none'),
  can: packed(32, {
    id: bits(0, 29),
    data_method: bits(29),
    frame_type: bits(30),
    channel: bits(31),
  } as never),
})

// ---- JT/T 1078 -----------------------------------------------------------------------------------------------------

const encoding = noted(u8, '0 constant bit rate, 1 variable, 2 average')
const resolution = noted(u8, '0 QCIF, 1 CIF, 2 WCIF, 3 D1, 4 WD1, 5 720P, 6 1080P')
const keyInterval = noted(u16, 'frames from one key frame to the next')

/** `rt`: live; `st`: stored. */
const video = {
  rt_encode: encoding,
  rt_resolution: resolution,
  rt_key_interval: keyInterval,
  rt_fps: u8,
  rt_kbps: u32,
  st_encode: encoding,
  st_resolution: resolution,
  st_key_interval: keyInterval,
  st_fps: u8,
  st_kbps: u32,
  osd: noted(u16, 'flags of what the picture shows'),
}

const channel = struct({
  physical: u8,
  logical: u8,
  type: noted(u8, '0 both, 1 sound, 2 picture'),
  has_ptz: noted(u8, '1 can be turned'),
})

const channels = struct({ av_count: u8, a_count: u8, v_count: u8, channels: arrayOf(channel, 'rest') })

const alarmRecording = struct({ storage_pct: u8, duration_min: u8, lead_min: u8 })

const imageAnalysis = struct({ passenger_limit: u8, fatigue_threshold: u8 })

const clock = noted(bcd(2), 'hhmm')

const wakeUp = struct({
  mode: noted(u8, 'flags: 0 on a condition, 1 at times, 2 by hand'),
  condition: noted(u8, 'flags'),
  weekdays: noted(u8, 'flags: 0 Monday to 6 Sunday'),
  enable: noted(u8, 'flags: the periods that count'),
  periods: arrayOf(struct({ wake: clock, close: clock }), 4),
})

// ---- active safety -------------------------------------------------------------------------------------------------

const levelSpeed = noted(u8, 'km/h; from here on the alarm is of level 2')
const evidence = { video_s: u8, photos: u8, photo_interval_ds: noted(u8, '0.1 s') }
const alarm = { level_speed_kmh: levelSpeed, ...evidence }

const general = {
  speed_threshold_kmh: u8,
  volume: noted(u8, '0 to 8'),
  photo_strategy: noted(u8, '0 off, 1 by time, 2 by distance'),
  timed_photo_interval_s: u16,
  distance_photo_interval_m: u16,
  photos: u8,
  photo_interval_ds: noted(u8, '0.1 s'),
  photo_resolution: u8,
  video_resolution: u8,
  alarm_enable: noted(u32, 'flags'),
  event_enable: noted(u32, 'flags'),
}

const threshold = noted(u8, '0.1 s')

const assistance = {
  ...general,
  reserved: orElse(hexOf(1), '00'),
  obstacle: struct({ distance_threshold_ds: threshold, ...alarm }),
  lane_change: struct({ window_s: u8, times: u8, ...alarm }),
  lane_departure: struct(alarm),
  forward_collision: struct({ time_threshold_ds: threshold, ...alarm }),
  pedestrian: struct({ time_threshold_ds: threshold, enable_speed_kmh: u8, ...evidence }),
  headway: struct({ distance_threshold_ds: threshold, ...alarm }),
  road_sign: struct({ photos: u8, photo_interval_ds: noted(u8, '0.1 s') }),
}

/** What a form has behind its named members; `absent` is what JSON without it means. */
const rest = (absent: string) => ({ reserved_end: orElse(surplus, absent) })

/** Guangdong's members where there are octets for all of them; what is shorter has reserved ones. */
function orLonger(usual: Fields, guangdong: Fields): Field<object> {
  const { length } = Object.keys(guangdong)
  return orLikelyForm<object>((value) => (Object.keys(value).length === length ? 1 : 0), struct(usual), {
    guangdong: struct(guangdong),
  })
}

/** 0xf364 */
const adas = orLonger(
  { ...assistance, ...rest('00000000') },
  {
    ...assistance,
    solid_line: struct(alarm),
    aisle_pedestrian: struct({ level_speed_kmh: levelSpeed }),
    ...rest(''),
  },
)

const state = {
  ...general,
  smoking_window_s: u16,
  phone_window_s: u16,
  reserved: orElse(hexOf(3), '000000'),
  fatigue: struct(alarm),
  phone: struct(alarm),
  smoking: struct(alarm),
  distraction: struct(alarm),
  abnormal: struct(alarm),
  identity_trigger: u8,
}

/** 0xf365 */
const dsm = orLonger(
  { ...state, ...rest('0000') },
  {
    ...state,
    lens_covered: struct({ level_speed_kmh: levelSpeed }),
    no_belt: struct(alarm),
    infrared_glasses: struct(alarm),
    hands_off: struct(alarm),
    plays_with_phone: struct(alarm),
    ...rest(''),
  },
)

/** 0xf366 */
const tpms = struct({
  tyre_type: text(12),
  pressure_unit: noted(u16, '0 kg/cm2, 1 bar, 2 kPa, 3 PSI'),
  pressure: u16,
  imbalance_pct: u16,
  slow_leak_pct: u16,
  low_pressure: u16,
  high_pressure: u16,
  high_temperature_c: u16,
  low_battery_pct: u16,
  report_interval_s: u16,
  reserved: orElse(hexOf(6), '000000000000'),
})

/** 0xf367 */
const bsd = struct({ rear_threshold_s: u8, side_rear_threshold_s: u8 })

export const PARAMETER_FIELDS = {
  illegalDriving,
  canCollection,
  avParameters: struct({ ...video, audio_enable: u8 }),
  avChannels: channels,
  channelVideo: struct({ channels: arrayOf(struct({ channel: u8, ...video }), u8) }),
  alarmRecording,
  imageAnalysis,
  wakeUp,
  adas,
  dsm,
  tpms,
  bsd,
} satisfies Readonly<Record<string, Field<unknown>>>
