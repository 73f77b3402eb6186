import type {LogEntry} from '@atomctl/protocol/runtime'
import {printable, type View} from '@atomctl/sdk/output'

export interface LogLines {
  execution_id: string
  logs: string[]
  entries?: LogEntry[]
}

export interface LogOptions {
  step: string | undefined
  timestamps: boolean
}

/** The lines of an execution: with steps and times where the runtime tells them. */
export function logsView(options: LogOptions): View<LogLines> {
  const chosen = ({entries, logs, execution_id: id}: LogLines): LogEntry[] =>
    (entries ?? logs.map((text, seq) => plainEntry(text, seq, id))).filter(
      ({step}) => options.step === undefined || step === options.step,
    )
  return {
    kind: 'Logs',
    text: (data) => chosen(data).map(logLine(options)).join('').trimEnd(),
    items: chosen,
  }
}

const plainEntry = (text: string, seq: number, _id: string): LogEntry => ({
  seq,
  time: '',
  step: null,
  stream: 'system',
  text,
})

/** One entry as a line, newline included. */
export function logLine({timestamps, step: chosen}: LogOptions): (entry: LogEntry) => string {
  return ({time, step, text}) => {
    if (chosen !== undefined && step !== chosen) return ''
    const prefix = [timestamps && time ? time : '', step && chosen === undefined ? `[${printable(step)}]` : ''].filter(
      Boolean,
    )
    return `${[...prefix, printable(text)].join(' ')}\n`
  }
}
