export {suggestName} from '@atomctl/wpk/suggestion'
