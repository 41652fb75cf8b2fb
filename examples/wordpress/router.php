<?php
// What a web server's rewrite rules do for WordPress, for PHP's own server: files as they are, the rest to index.php.
$_SERVER['WORDPRESS_CONFIG'] = getenv('PILOT_SITE');
$root = '/usr/share/wordpress';
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
$content = '/wp-content/';
if (strncmp($path, $content, strlen($content)) === 0 && !str_contains($path, '..')) {
    // Debian keeps what a site adds apart from what the package brings.
    foreach ([$root, '/var/lib/wordpress'] as $place) {
        $file = realpath($place . $path);
        if ($file !== false && is_file($file) && !str_ends_with($file, '.php')) {
            $types = ['css' => 'text/css', 'js' => 'text/javascript', 'svg' => 'image/svg+xml', 'png' => 'image/png',
                'jpg' => 'image/jpeg', 'woff' => 'font/woff', 'woff2' => 'font/woff2'];
            header('Content-Type: ' . ($types[pathinfo($file, PATHINFO_EXTENSION)] ?? 'application/octet-stream'));
            readfile($file);
            return true;
        }
    }
}
$file = realpath($root . $path);
if ($file !== false && is_dir($file) && is_file($file . '/index.php') && $path !== '/') {
    $path = rtrim($path, '/') . '/index.php';
    $file = $file . '/index.php';
}
if ($file !== false && is_file($file) && str_starts_with($file, $root)) {
    if (!str_ends_with($file, '.php')) {
        return false;
    }
    $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
    chdir(dirname($file));
    require $file;
    return true;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
chdir($root);
require $root . '/index.php';
