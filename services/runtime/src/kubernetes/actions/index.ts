import type {K8sAction} from '@atomctl/wpk/document'
import type {Action} from '../session.ts'
import {job} from './job.ts'
import {annotate, apply, create, get, label, patch, remove} from './objects.ts'
import {events, logs, metrics} from './observing.ts'
import {restart, rollback} from './rollout.ts'
import {copy, exec} from './running.ts'
import {scale} from './scaling.ts'
import {wait} from './waiting.ts'

/** Every action with an honest meaning; the format knows `restore` too, which no kubectl command does. */
export const ACTIONS: Readonly<Record<Exclude<K8sAction, 'restore'>, Action>> = {
  logs,
  events,
  get,
  metrics,
  restart,
  scale,
  wait,
  rollback,
  patch,
  annotate,
  label,
  create,
  apply,
  delete: remove,
  exec,
  copy,
  job,
}
