import { add_strings } from '@/lib/i18n';

add_strings('app', {
  go_home: 'Go home',
  reload: 'Load the page anew',
  failed_title: 'This page could not be shown',
  failed_text: 'Nothing you saved is lost. Loading it anew often helps.',
  failed_source: 'What went wrong',
  offline_title: 'The server cannot be reached',
  forbidden_title: 'You may not see this',
  forbidden_text: 'An administrator can give your group the right to it.',
  missing_title: 'There is nothing here',
  missing_text: 'It was moved to the trash, or the address is wrong.',
});
