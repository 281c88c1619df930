/** Terminal parameters by id: name with its unit, and type (JT/T 808 tables 12 to 17; JT/T 1078 table 1; T/JSATL 12 annex). */
import type { Field } from '../declare/field.ts'
import { PARAMETER_FIELDS as FIELDS } from './parameter-fields.ts'

/** Octets of a number; text is GBK; `struct` has members; `octets` is base64. */
export type ParameterType = 'dword' | 'word' | 'byte' | 'text' | 'struct' | 'octets'

export interface Parameter {
  readonly id: number
  readonly name: string
  readonly type: ParameterType
  /** Of type `struct`. */
  readonly field?: Field<unknown>
}

const D = 'dword'
const W = 'word'
const B = 'byte'
const T = 'text'

const ROWS: readonly (readonly [id: number, type: ParameterType | keyof typeof FIELDS, name: string])[] = [
  [0x0001, D, 'heartbeat_interval_s'],
  [0x0002, D, 'tcp_response_timeout_s'],
  [0x0003, D, 'tcp_retransmissions'],
  [0x0004, D, 'udp_response_timeout_s'],
  [0x0005, D, 'udp_retransmissions'],
  [0x0006, D, 'sms_response_timeout_s'],
  [0x0007, D, 'sms_retransmissions'],
  [0x0010, T, 'main_apn'],
  [0x0011, T, 'main_dial_user'],
  [0x0012, T, 'main_dial_password'],
  [0x0013, T, 'main_server'],
  [0x0014, T, 'backup_apn'],
  [0x0015, T, 'backup_dial_user'],
  [0x0016, T, 'backup_dial_password'],
  [0x0017, T, 'backup_server'],
  [0x0018, D, 'server_tcp_port'],
  [0x0019, D, 'server_udp_port'],
  [0x001a, T, 'ic_card_main_server'],
  [0x001b, D, 'ic_card_tcp_port'],
  [0x001c, D, 'ic_card_udp_port'],
  [0x001d, T, 'ic_card_backup_server'],
  [0x0020, D, 'report_strategy'],
  [0x0021, D, 'report_scheme'],
  [0x0022, D, 'report_interval_no_driver_s'],
  [0x0023, T, 'slave_apn'], // 2019
  [0x0024, T, 'slave_dial_user'],
  [0x0025, T, 'slave_dial_password'],
  [0x0026, T, 'slave_server'],
  [0x0027, D, 'report_interval_sleeping_s'],
  [0x0028, D, 'report_interval_emergency_s'],
  [0x0029, D, 'report_interval_s'],
  [0x002c, D, 'report_distance_m'],
  [0x002d, D, 'report_distance_no_driver_m'],
  [0x002e, D, 'report_distance_sleeping_m'],
  [0x002f, D, 'report_distance_emergency_m'],
  [0x0030, D, 'corner_angle_deg'],
  [0x0031, W, 'fence_radius_m'],
  [0x0032, 'illegalDriving', 'illegal_driving_period'], // 2019
  [0x0040, T, 'monitor_phone'],
  [0x0041, T, 'reset_phone'],
  [0x0042, T, 'factory_reset_phone'],
  [0x0043, T, 'sms_phone'],
  [0x0044, T, 'alarm_sms_phone'],
  [0x0045, D, 'answer_strategy'],
  [0x0046, D, 'max_call_s'],
  [0x0047, D, 'max_monthly_call_s'],
  [0x0048, T, 'listen_in_phone'],
  [0x0049, T, 'privileged_sms_phone'],
  [0x0050, D, 'alarm_shield_mask'],
  [0x0051, D, 'alarm_sms_mask'],
  [0x0052, D, 'alarm_photo_mask'],
  [0x0053, D, 'alarm_photo_store_mask'],
  [0x0054, D, 'key_alarm_mask'],
  [0x0055, D, 'max_speed_kmh'],
  [0x0056, D, 'overspeed_duration_s'],
  [0x0057, D, 'max_continuous_driving_s'],
  [0x0058, D, 'max_daily_driving_s'],
  [0x0059, D, 'min_rest_s'],
  [0x005a, D, 'max_parking_s'],
  [0x005b, W, 'overspeed_warning_delta_dkmh'],
  [0x005c, W, 'fatigue_warning_delta_s'],
  [0x005d, W, 'collision'],
  [0x005e, W, 'rollover_angle_deg'],
  [0x0064, D, 'timed_photo'],
  [0x0065, D, 'distance_photo'],
  [0x0070, D, 'image_quality'],
  [0x0071, D, 'brightness'],
  [0x0072, D, 'contrast'],
  [0x0073, D, 'saturation'],
  [0x0074, D, 'chroma'],
  [0x0075, 'avParameters', 'av_parameters'], // JT/T 1078
  [0x0076, 'avChannels', 'av_channels'],
  [0x0077, 'channelVideo', 'channel_video'],
  [0x0079, 'alarmRecording', 'alarm_recording'],
  [0x007a, D, 'video_alarm_mask'],
  [0x007b, 'imageAnalysis', 'image_analysis'],
  [0x007c, 'wakeUp', 'wake_up'],
  [0x0080, D, 'odometer_hm'],
  [0x0081, W, 'province'],
  [0x0082, W, 'city'],
  [0x0083, T, 'plate'],
  [0x0084, B, 'plate_color'],
  [0x0090, B, 'gnss_mode'],
  [0x0091, B, 'gnss_baud'],
  [0x0092, B, 'gnss_output_period'],
  [0x0093, D, 'gnss_collect_period_s'],
  [0x0094, B, 'gnss_upload_mode'],
  [0x0095, D, 'gnss_upload_setting'],
  [0x0100, D, 'can1_collect_ms'],
  [0x0101, W, 'can1_upload_s'],
  [0x0102, D, 'can2_collect_ms'],
  [0x0103, W, 'can2_upload_s'],
  [0xf364, 'adas', 'adas'], // T/JSATL 12
  [0xf365, 'dsm', 'dsm'],
  [0xf366, 'tpms', 'tpms'],
  [0xf367, 'bsd', 'bsd'],
  [0xf370, B, 'active_safety_version'], // Guangdong
]

const BY_ID = new Map<number, Parameter>()
const BY_NAME = new Map<string, Parameter>()
for (const [id, type, name] of ROWS) {
  const field = Object.hasOwn(FIELDS, type) ? FIELDS[type as keyof typeof FIELDS] : undefined
  const parameter: Parameter =
    field === undefined ? { id, name, type: type as ParameterType } : { id, name, type: 'struct', field }
  BY_ID.set(id, parameter)
  BY_NAME.set(name, parameter)
}

/** Every parameter that has a name. */
export const PARAMETERS: readonly Parameter[] = [...BY_ID.values()]

/** Collection of single CAN ids. */
export const FIRST_CAN_ID = 0x0110
export const LAST_CAN_ID = 0x01ff

/** What is not in the table is the maker's: octets. */
export function parameterOf(id: number): Parameter {
  const known = BY_ID.get(id)
  if (known !== undefined) return known
  const name = `0x${id.toString(16).padStart(4, '0')}`
  if (id < FIRST_CAN_ID || id > LAST_CAN_ID) return { id, name, type: 'octets' }
  return { id, name, type: 'struct', field: FIELDS.canCollection }
}

/** By name (`report_interval_s`) or id (`0x0029`, `41`); undefined when it is neither. */
export function parameterNamed(name: string): Parameter | undefined {
  const known = BY_NAME.get(name)
  if (known !== undefined) return known
  const id = /^0x[0-9a-f]{1,8}$/i.test(name) || /^[0-9]{1,10}$/.test(name) ? Number(name) : Number.NaN
  return id <= 0xffffffff ? parameterOf(id) : undefined
}
