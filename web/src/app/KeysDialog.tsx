import { useTranslation } from 'react-i18next';
import { key_caps, useAllShortcuts } from '@/lib/shortcuts';
import { Key } from '@/ui/Chip';
import { Dialog } from '@/ui/Dialog';
import styles from './KeysDialog.module.css';

/** All keys of what is on the page now, by group; the page's own first. */
export function KeysDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation('app');
  const all = useAllShortcuts().filter((one) => one.keys);
  const names = [...new Set(all.map((one) => one.group))].reverse();
  return (
    <Dialog opened={opened} onClose={onClose} title={t('keys_title')} width={680}>
      <div className={styles.columns}>
        {names.map((name) => (
          <section key={name} className={styles.group}>
            <h3>{name}</h3>
            <dl>
              {all
                .filter((one) => one.group === name)
                .map((one) => (
                  <div key={`${one.keys}${one.label}`}>
                    <dt>{one.label}</dt>
                    <dd>
                      {key_caps(one.keys!).map((cap, index) => (
                        <Key key={index}>{cap}</Key>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
