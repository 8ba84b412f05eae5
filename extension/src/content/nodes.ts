// A form gives its fields in the place of its own properties, if they have the same names: `<input name="children">`. What
// walks rest on is asked of the prototypes, to which no page can add anything here.

function asked<From extends object, To>(prototype: From, name: keyof From & string): (node: From) => To {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get as ((this: From) => To) | undefined;
  return (node) => (get ? get.call(node) : node[name] as To);
}

export const firstOf = asked<Node, ChildNode | null>(Node.prototype, 'firstChild');
export const nextOf = asked<Node, ChildNode | null>(Node.prototype, 'nextSibling');
export const parentNodeOf = asked<Node, ParentNode | null>(Node.prototype, 'parentNode');
export const childrenOf = asked<Element, HTMLCollection>(Element.prototype, 'children');
export const nameOf = asked<Element, string>(Element.prototype, 'localName');
