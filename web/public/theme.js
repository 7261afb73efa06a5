// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var choice = 'system';
  try {
    choice = localStorage.getItem('basalt.theme') || 'system';
  } catch (e) {
    // Storage may be closed to us; the system's choice is then a good guess.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  var root = document.documentElement;
  root.setAttribute('data-theme', dark ? 'dark' : 'light');
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
