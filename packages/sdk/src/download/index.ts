export {type DownloadOptions, downloadPackage, type PulledPackage} from './download.ts'
