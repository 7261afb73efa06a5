import { SegmentedControl } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { type ThemeChoice, set_theme, useTheme } from '@/lib/theme';

/** Light, dark or as the system; in the account menu. */
export function ThemeSwitch() {
  const { t } = useTranslation('app');
  const { choice } = useTheme();
  return (
    <SegmentedControl
      fullWidth
      aria-label={t('theme')}
      value={choice}
      onChange={(value) => set_theme(value as ThemeChoice)}
      data={[
        { value: 'light', label: t('light') },
        { value: 'dark', label: t('dark') },
        { value: 'system', label: t('system') },
      ]}
    />
  );
}
