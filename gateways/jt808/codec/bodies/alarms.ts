/** Names of the alarm flags of a location report, bit 0 first (JT/T 808 table 24; later editions name more bits). */

const NAMES: readonly string[] = [
  'emergency',
  'overspeed',
  'fatigue',
  'danger-warning',
  'gnss-fault',
  'gnss-antenna-open',
  'gnss-antenna-short',
  'power-undervoltage',
  'power-lost',
  'display-fault',
  'tts-fault',
  'camera-fault',
  'ic-card-fault',
  'overspeed-warning',
  'fatigue-warning',
  'illegal-driving', // 2019
  'tyre-pressure-warning', // 2019
  'right-turn-blind-zone', // 2019
  'daily-driving-overtime',
  'parking-overtime',
  'area-crossing',
  'route-crossing',
  'segment-time',
  'route-deviation',
  'vss-fault',
  'fuel-abnormal',
  'stolen',
  'illegal-ignition',
  'illegal-displacement',
  'collision',
  'rollover',
  'illegal-door-opening',
]

const NONE: readonly string[] = []

export function alarmNames(flags: number): readonly string[] {
  if (flags === 0) return NONE
  return NAMES.filter((_, bit) => (flags & (1 << bit)) !== 0)
}
