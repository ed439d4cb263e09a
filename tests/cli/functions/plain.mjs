export const handler = async (event) => {
  if (event.fail) throw new TypeError(event.fail);
  if (event.say) console.log(event.say);
  return { event, stage: process.env.STAGE };
};
