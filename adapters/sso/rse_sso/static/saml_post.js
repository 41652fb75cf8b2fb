// The page's form goes to the identity provider by itself; its button stays for browsers without scripts.
document.getElementById("rse-sso-saml-post").submit();
