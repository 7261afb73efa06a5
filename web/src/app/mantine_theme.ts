import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// The kit wants ten shades per colour; ours are tokens, so every shade that is used points at one.
const cobalt: MantineColorsTuple = ['#EAF0FD', '#C5D5F9', '#97B2F2', '#678BE6', '#5580F0', '#3F69E0', '#2F5BD8', '#264CB8', '#2849AE', '#1B3178'];

export const theme = createTheme({
  primaryColor: 'cobalt',
  colors: { cobalt },
  primaryShade: { light: 6, dark: 5 },
  fontFamily: 'var(--font-ui)',
  fontFamilyMonospace: 'var(--font-code)',
  fontSizes: { xs: '11px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '8px' },
  defaultRadius: 'md',
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  headings: { fontFamily: 'var(--font-ui)', fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    Input: {
      defaultProps: { size: 'sm' },
      vars: (_theme: unknown, props: { size?: string }) => ({
        wrapper: {
          '--input-height': props.size === 'lg' ? '40px' : props.size === 'xs' ? '24px' : '32px',
          '--input-fz': props.size === 'lg' ? '14px' : '13px',
          '--input-padding': props.size === 'xs' ? '8px' : '12px',
          '--input-bd': 'var(--line-control)',
          '--input-bg': 'var(--surface)',
          '--input-color': 'var(--ink)',
          '--input-placeholder-color': 'var(--muted)',
          '--input-section-color': 'var(--muted)',
        },
      }),
    },
    InputWrapper: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', allowDeselect: false, comboboxProps: { shadow: 'md' }, checkIconPosition: 'right' } },
    MultiSelect: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'xs', radius: 'xs' } },
    Radio: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm', withThumbIndicator: false } },
    SegmentedControl: { defaultProps: { size: 'sm', radius: 'md' } },
    Tabs: { defaultProps: { variant: 'default' } },
    Menu: { defaultProps: { shadow: 'md', radius: 'lg', position: 'bottom-end', transitionProps: { duration: 120 } } },
    Popover: { defaultProps: { shadow: 'md', radius: 'lg', transitionProps: { duration: 120 } } },
    Tooltip: { defaultProps: { openDelay: 400, fz: 12, transitionProps: { duration: 120 } } },
    Modal: {
      defaultProps: { radius: 'lg', centered: false, yOffset: '12vh', shadow: 'md', overlayProps: { color: 'var(--scrim)', backgroundOpacity: 1 }, transitionProps: { duration: 120, transition: 'fade' } },
    },
    Drawer: { defaultProps: { radius: 0, shadow: 'md', overlayProps: { backgroundOpacity: 1, color: 'var(--scrim)' }, transitionProps: { duration: 160 } } },
  },
});

const from_tokens = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-bright': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--muted)',
  '--mantine-color-anchor': 'var(--brand-text)',
  '--mantine-color-placeholder': 'var(--muted)',
  '--mantine-color-error': 'var(--red-text)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-color': 'var(--ink)',
  '--mantine-color-default-border': 'var(--line)',
  '--mantine-color-disabled': 'var(--sunken)',
  '--mantine-color-disabled-color': 'var(--muted)',
  '--mantine-color-disabled-border': 'var(--line)',
  '--mantine-primary-color-filled': 'var(--brand)',
  '--mantine-primary-color-filled-hover': 'var(--brand-hover)',
  '--mantine-primary-color-contrast': 'var(--on-brand)',
  '--mantine-primary-color-light': 'var(--brand-tint)',
  '--mantine-primary-color-light-hover': 'var(--brand-tint)',
  '--mantine-primary-color-light-color': 'var(--brand-text)',
  '--mantine-color-cobalt-filled': 'var(--brand)',
  '--mantine-color-cobalt-light': 'var(--brand-tint)',
  '--mantine-color-cobalt-light-hover': 'var(--brand-tint)',
  '--mantine-color-cobalt-light-color': 'var(--brand-text)',
  '--mantine-color-cobalt-outline': 'var(--brand)',
  '--mantine-shadow-md': 'var(--shadow-pop)',
  '--mantine-shadow-sm': 'var(--shadow-pop)',
  '--mantine-shadow-xl': 'var(--shadow-pop)',
};

export const css_variables: CSSVariablesResolver = () => ({
  variables: {},
  light: from_tokens,
  dark: { ...from_tokens, '--mantine-color-body': 'var(--raised)', '--mantine-color-default': 'var(--surface)' },
});
