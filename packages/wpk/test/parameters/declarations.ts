import {declarationsOf} from '@atomctl/wpk/parameters'
import type {ParameterDeclaration} from '@atomctl/wpk/parameters'

/** Declarations as a document holds them. */
export function declare(...parameters: object[]): ParameterDeclaration[] {
  return declarationsOf({spec: {parameters: structuredClone(parameters) as never}})!
}

/** The message of what a call throws; it must be a PARAMETER_INVALID. */
export function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    const {code, message} = error as {code?: string; message: string}
    if (code === 'PARAMETER_INVALID') return message
    throw error
  }
  throw new Error('nothing was thrown')
}
