// Shows the documents of the services that answer at this address; ?service=bag_register chooses one.
"use strict";

const SERVICES = [
  { name: "ingests_api", title: "Ingests and backfills" },
  { name: "bag_register", title: "Bags, imports and reports" },
];

const addressOf = (service) => `docs/openapi/${service.name}.json`;

async function answering() {
  const asked = SERVICES.map((service) => fetch(addressOf(service)).then((answer) => answer.ok, () => false));
  const answers = await Promise.all(asked);
  return SERVICES.filter((_, index) => answers[index]);
}

function link(service, chosen) {
  const made = document.createElement("a");
  made.href = `?service=${service.name}`;
  made.textContent = service.title;
  if (service === chosen) made.setAttribute("aria-current", "page");
  return made;
}

async function show() {
  const found = await answering();
  const wanted = new URLSearchParams(location.search).get("service");
  const chosen = found.find((service) => service.name === wanted) ?? found[0];
  if (!chosen) {
    document.querySelector(".waiting").textContent = "The service does not answer. Load this page again in a moment.";
    return;
  }
  document.getElementById("services").append(...found.map((service) => link(service, chosen)));
  SwaggerUIBundle({
    url: addressOf(chosen),
    domNode: document.getElementById("documentation"),
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    tryItOutEnabled: false,
    validatorUrl: null,
  });
}

show();
