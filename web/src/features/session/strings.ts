import { add_strings } from '@/lib/i18n';

add_strings('session', {
  title: 'Sign in',
  email: 'E-mail',
  password: 'Password',
  forgot: 'Forgot it?',
  forgot_text: 'Ask an administrator: under People they can give you a new password.',
  remember: 'Keep me signed in for 14 days',
  submit: 'Sign in',
  wrong: 'E-mail and password do not match.',
  needed_email: 'Enter your e-mail address.',
  needed_password: 'Enter your password.',
  version: 'Basalt {{version}}',
});
