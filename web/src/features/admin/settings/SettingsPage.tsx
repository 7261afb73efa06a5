export function GeneralSettingsPage() {
  return null;
}
export function AuthSettingsPage() {
  return null;
}
