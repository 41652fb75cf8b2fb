<?php
// Sets WordPress up by its own functions, once: closed comments, three articles, one page. Prints an article's path.
$host = getenv('PILOT_HOST');
$_SERVER += ['HTTP_HOST' => $host, 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REQUEST_METHOD' => 'GET'];
$_SERVER['WORDPRESS_CONFIG'] = getenv('PILOT_SITE');
define('WP_INSTALLING', true);
function wp_mail(): bool
{
    return true;
}
require '/usr/share/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
if (!is_blog_installed()) {
    wp_install('Intranet pilote', 'admin', 'admin@pilote.test', true, '', bin2hex(random_bytes(12)));
}
foreach (['siteurl', 'home'] as $option) {
    update_option($option, 'http://' . $host);
}
update_option('permalink_structure', '/%year%/%monthnum%/%postname%/');
update_option('default_comment_status', 'closed');
update_option('default_ping_status', 'closed');
switch_theme('twentytwentyone');
wp_delete_post(1, true);
require_once ABSPATH . 'wp-admin/includes/taxonomy.php';
$category = wp_create_category('Vie de l’entreprise');
$articles = [
    'Nouveaux horaires de l’accueil' => 'À partir de septembre, l’accueil ouvre à huit heures. Cœur de cible : les visites du matin.',
    'Une salle de réunion rénovée' => 'La salle du deuxième étage rouvre. Elle se réserve comme les autres, et son écran fonctionne enfin.',
    'Bilan du premier semestre' => 'Les délais de réponse ont baissé de trois jours. Le détail par service suit.',
];
foreach ($articles as $title => $text) {
    if (!get_page_by_title($title, OBJECT, 'post')) {
        wp_insert_post(['post_title' => $title, 'post_content' => "<p>$text</p>", 'post_status' => 'publish',
            'post_author' => 1, 'post_category' => [$category], 'comment_status' => 'closed', 'ping_status' => 'closed'], true);
    }
}
global $wp_rewrite;
$wp_rewrite->init();
flush_rewrite_rules(false);
$first = get_page_by_title('Nouveaux horaires de l’accueil', OBJECT, 'post');
echo parse_url(get_permalink($first), PHP_URL_PATH), "\n";
