// A picture waits as the text of its noscript element until its group is near.
const show = group => {
  for (const waiting of group.querySelectorAll("noscript")) waiting.outerHTML = waiting.textContent;
};
const groups = document.querySelectorAll(".group");
const near = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    show(target);
  }
}, { rootMargin: "1200px" });
for (const group of groups) near.observe(group);
addEventListener("beforeprint", () => groups.forEach(show));
