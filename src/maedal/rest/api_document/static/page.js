"use strict";

// Shows the document of this gateway, and uses the token that a tried getToken brings for all further calls.
{
  const english = document.documentElement.lang === "en";
  const notice = document.querySelector("[data-testid=signed-in]");
  const ui = window.SwaggerUIBundle({
    url: english ? "/openapi.json?lang=en" : "/openapi.json",
    dom_id: "#document",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    validatorUrl: null,
    responseInterceptor: (response) => {
      if (response.url.endsWith("/users/getToken") && response.obj && response.obj.code === 0) {
        ui.preauthorizeApiKey("token", response.obj.response.access_token);
        notice.hidden = false;
      }
      return response;
    },
  });
}
