/** A module whose default export is no manifest. */
export default { name: 'odd', title: 'Odd', spec: 'odd', transports: ['pigeon'], listeners: [], create: () => undefined }
