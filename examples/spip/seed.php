<?php
// Fills SPIP by its own functions, once: a section, three articles, no forum. Prints the path of an article.
$host = getenv('PILOT_HOST');
$_SERVER += ['HTTP_HOST' => $host, 'REQUEST_URI' => '/', 'REQUEST_METHOD' => 'GET', 'SERVER_NAME' => '127.0.0.1',
    'REMOTE_ADDR' => '127.0.0.1', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
chdir('/usr/share/spip');
require '/usr/share/spip/vendor/autoload.php';
require 'ecrire/inc_version.php';
include_spip('base/abstract_sql');
include_spip('inc/meta');
ecrire_meta('nom_site', 'Intranet pilote');
ecrire_meta('adresse_site', 'http://' . $host);
ecrire_meta('langue_site', 'fr');
ecrire_meta('forums_publics', 'non');
$number = sql_getfetsel('id_article', 'spip_articles', "statut='publie'", '', 'id_article', '0,1');
if (!$number) {
    $when = date('Y-m-d H:i:s', time() - 7200);
    $section = sql_insertq('spip_rubriques', ['titre' => 'Vie de l’entreprise', 'statut' => 'publie', 'date' => $when,
        'id_parent' => 0, 'lang' => 'fr', 'profondeur' => 0]);
    sql_updateq('spip_rubriques', ['id_secteur' => $section], 'id_rubrique=' . intval($section));
    $articles = [
        'Nouveaux horaires de l’accueil' => 'À partir de septembre, l’accueil ouvre à huit heures.',
        'Une salle de réunion rénovée' => 'La salle du deuxième étage rouvre. Elle se réserve comme les autres.',
        'Bilan du premier semestre' => 'Les délais de réponse ont baissé de trois jours.',
    ];
    foreach ($articles as $title => $text) {
        $article = sql_insertq('spip_articles', ['titre' => $title, 'texte' => $text, 'id_rubrique' => $section,
            'id_secteur' => $section, 'date' => $when, 'date_modif' => $when, 'statut' => 'publie', 'lang' => 'fr']);
        sql_insertq('spip_auteurs_liens', ['id_auteur' => 1, 'id_objet' => $article, 'objet' => 'article']);
        $number = $number ?: $article;
    }
    include_spip('inc/invalideur');
    suivre_invalideur('tout');
}
echo "/spip.php?article$number\n";
