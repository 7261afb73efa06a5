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
  reset_title: 'Set a new password',
  reset_text: 'You are signed in with it at once; other sessions end.',
  new_password: 'New password',
  new_password_again: 'New password again',
  not_the_same: 'The two passwords differ.',
  reset_submit: 'Set password and sign in',
  reset_gone: 'This link does not work any more',
  reset_gone_text: 'A link sets one password, within 48 hours. Ask your administrator for another one.',
  to_sign_in: 'Go to sign-in',
});
