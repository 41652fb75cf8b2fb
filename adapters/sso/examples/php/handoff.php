<?php
// Make a hand-off token for RSE. PHP 7.3 or later, no library.

function handoff_base64url(string $raw): string
{
    return rtrim(strtr(base64_encode($raw), '+/', '-_'), '=');
}

/** A token that lets $subject into RSE once, within the next minute. */
function handoff_token(
    string $secret,
    string $kid,
    string $issuer,
    string $audience,
    string $subject,
    ?string $name = null,
    ?string $returnTo = null
): string {
    $now = time();
    $header = ['alg' => 'HS256', 'typ' => 'JWT', 'kid' => $kid];
    $claims = [
        'iss' => $issuer,
        'aud' => $audience,
        'sub' => $subject,
        'iat' => $now,
        'exp' => $now + 60,
        'jti' => bin2hex(random_bytes(16)),
    ];
    if ($name !== null && $name !== '') {
        $claims['name'] = $name;
    }
    if ($returnTo !== null && $returnTo !== '') {
        $claims['return_to'] = $returnTo;
    }
    $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;
    $signed = handoff_base64url(json_encode($header, $flags)) . '.' . handoff_base64url(json_encode($claims, $flags));

    return $signed . '.' . handoff_base64url(hash_hmac('sha256', $signed, $secret, true));
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    if ($argc < 5) {
        fwrite(STDERR, "usage: handoff.php ISSUER AUDIENCE KID SUBJECT [NAME] [RETURN_TO]\n");
        exit(2);
    }
    $secret = getenv('RSE_HANDOFF_SECRET');
    if ($secret === false || $secret === '') {
        fwrite(STDERR, "RSE_HANDOFF_SECRET is not set.\n");
        exit(1);
    }
    echo handoff_token($secret, $argv[3], $argv[1], $argv[2], $argv[4], $argv[5] ?? null, $argv[6] ?? null), "\n";
}
