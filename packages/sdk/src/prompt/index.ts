export {confirm} from './confirm.ts'
export {askSecret, askText, askYesNo} from './prompt.ts'
