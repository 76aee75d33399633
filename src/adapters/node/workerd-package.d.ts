declare module "workerd" {
  const workerd: { readonly default: string; readonly version: string; readonly compatibilityDate: string };
  export default workerd;
}
